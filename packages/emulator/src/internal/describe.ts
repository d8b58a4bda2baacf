import * as Duration from "effect/Duration"
import type { ActionSpec, ConditionSpec } from "./faultSpec.ts"

const value = (of: unknown): string => {
  if (Duration.isDuration(of)) return Duration.format(of)
  const text = JSON.stringify(of) ?? "undefined"
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** `returnCode(code: 1)`. */
export const action = ({ type, ...fields }: ActionSpec): string => {
  const shown = Object.entries(fields).filter(([, of]) => of !== undefined)
  return shown.length === 0 ? type : `${type}(${shown.map(([key, of]) => `${key}: ${value(of)}`).join(", ")})`
}

const ordinal = (n: number): string => {
  const ending = n % 100 >= 11 && n % 100 <= 13 ? undefined : ["th", "st", "nd", "rd"][n % 10]
  return `${n}${ending ?? "th"}`
}

const joined = (conditions: ReadonlyArray<ConditionSpec>, word: string, none: string): string =>
  conditions.length === 0 ? none : `(${conditions.map(condition).join(` ${word} `)})`

/** `user u1`, `page 2`, `every 7th call`. */
export const condition = (spec: ConditionSpec): string => {
  if (spec.user !== undefined) return `user ${spec.user.join(" or ")}`
  if (spec.app !== undefined) return `app ${spec.app}`
  if (spec.page !== undefined) return `page ${spec.page}`
  if (spec.cursor !== undefined) return `Next ${spec.cursor}`
  if (spec.nth !== undefined) return `the ${ordinal(spec.nth)} call`
  if (spec.every !== undefined) return `every ${ordinal(spec.every)} call`
  if (spec.attempt !== undefined) return `the ${ordinal(spec.attempt)} attempt at a page`
  if (spec.probability !== undefined) return `with probability ${spec.probability}`
  if (spec.times !== undefined) return `at most ${spec.times === 1 ? "once" : `${spec.times} times`}`
  if (spec.not !== undefined) return `not ${condition(spec.not)}`
  return spec.and === undefined ? joined(spec.or ?? [], "or", "never") : joined(spec.and, "and", "always")
}
