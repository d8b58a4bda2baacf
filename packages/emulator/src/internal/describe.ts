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

const joined = (conditions: ReadonlyArray<ConditionSpec>, word: string): string =>
  `(${conditions.map(condition).join(` ${word} `)})`

/** `user u1`, `page 2`, `every 7th call`. */
export const condition = (spec: ConditionSpec): string => {
  if ("user" in spec) return `user ${spec.user.join(" or ")}`
  if ("app" in spec) return `app ${spec.app}`
  if ("page" in spec) return `page ${spec.page}`
  if ("cursor" in spec) return `Next ${spec.cursor}`
  if ("nth" in spec) return `the ${ordinal(spec.nth)} call`
  if ("every" in spec) return `every ${ordinal(spec.every)} call`
  if ("attempt" in spec) return `the ${ordinal(spec.attempt)} attempt at a page`
  if ("probability" in spec) return `with probability ${spec.probability}`
  if ("times" in spec) return `at most ${spec.times === 1 ? "once" : `${spec.times} times`}`
  if ("and" in spec) return joined(spec.and, "and")
  if ("or" in spec) return joined(spec.or, "or")
  return `not ${condition(spec.not)}`
}
