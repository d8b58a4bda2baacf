/** To which calls a fault happens: a condition as data, in words, and at work. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { RecentMap } from "../recentMap.ts"
import * as Random from "../seededRandom.ts"

/**
 * What is known of a call before it is processed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  /** The number of the call, from 1. */
  readonly index: number
  /** When it arrived, in milliseconds since the epoch. */
  readonly time: number
  /** Where it is readable. */
  readonly appId: number | undefined
  /** As it was sent, empty where it was left out. */
  readonly action: string
  /** `FromUserId`, where it is readable. */
  readonly userId: string | undefined
  /** `Limit` as it was sent, where it is a number. */
  readonly limit: number | undefined
  /** The digits of `Next`, `"0"` for the first page, where it is readable. */
  readonly cursor: string | undefined
  /** Which page of the list is asked for, from 1, where the cursor is known. */
  readonly page: number | undefined
}

export const atLeast = (minimum: number) => Schema.Int.check(Schema.isGreaterThanOrEqualTo(minimum))
const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

const simple = {
  user: Schema.optionalKey(Schema.Array(Schema.String)),
  app: Schema.optionalKey(Schema.Int),
  page: Schema.optionalKey(atLeast(1)),
  cursor: Schema.optionalKey(Schema.String),
  nth: Schema.optionalKey(atLeast(1)),
  every: Schema.optionalKey(atLeast(1)),
  attempt: Schema.optionalKey(atLeast(1)),
  probability: Schema.optionalKey(Share),
  times: Schema.optionalKey(atLeast(0))
}
type Simple = Schema.Struct.Type<typeof simple>

interface Combined<Condition> extends Simple {
  readonly and?: ReadonlyArray<Condition>
  readonly or?: ReadonlyArray<Condition>
  readonly not?: Condition
}

/** A condition that JSON has: one key says which. */
export interface ConditionSpec extends Combined<ConditionSpec> {}

/** Any condition: a user's function may be in it. */
export interface ConditionData extends Combined<ConditionData> {
  readonly where?: (call: Call) => boolean
}

const Nested = Schema.suspend((): Schema.Codec<ConditionSpec> => ConditionSpec)
const Several = Schema.optionalKey(Schema.Array(Nested))
const fields = { ...simple, and: Several, or: Several, not: Schema.optionalKey(Nested) }
const oneKey = `one key: ${Object.keys(fields).join(", ")}`

// One struct and not a union: an error names the key that is wrong.
export const ConditionSpec: Schema.Codec<ConditionSpec> = Schema.Struct(fields)
  .check(
    Schema.makeFilter((condition) => Object.keys(condition).length === 1, { expected: `a condition with ${oneKey}` })
  )
  .annotate({ identifier: "@effect-zim/emulator/Condition", description: `Has ${oneKey}` })

/** Makes a check that throws an error that names the number, or the duration, that is out of its range. */
export const throwing = <A>(schema: Schema.Codec<A, unknown>) => {
  const check = Schema.decodeUnknownSync(Schema.toType(schema))
  return (data: object): void => {
    if (Object.values(data).some((value) => typeof value === "number" || Duration.isDuration(value))) check(data)
  }
}

/** Nothing could happen under a condition with such a number. */
export const check: (condition: ConditionData) => void = throwing(ConditionSpec)

const ordinal = (n: number): string => {
  const ending = n % 100 >= 11 && n % 100 <= 13 ? undefined : ["th", "st", "nd", "rd"][n % 10]
  return `${n}${ending ?? "th"}`
}

const joined = (conditions: ReadonlyArray<ConditionData>, word: string, none: string): string =>
  conditions.length === 0 ? none : `(${conditions.map(inWords).join(` ${word} `)})`

/** `user u1`, `page 2`, `every 7th call`. */
export const inWords = (condition: ConditionData): string => {
  if (condition.where !== undefined) return "a function holds"
  if (condition.user !== undefined) return `user ${condition.user.join(" or ")}`
  if (condition.app !== undefined) return `app ${condition.app}`
  if (condition.page !== undefined) return `page ${condition.page}`
  if (condition.cursor !== undefined) return `Next ${condition.cursor}`
  if (condition.nth !== undefined) return `the ${ordinal(condition.nth)} call`
  if (condition.every !== undefined) return `every ${ordinal(condition.every)} call`
  if (condition.attempt !== undefined) return `the ${ordinal(condition.attempt)} attempt at a page`
  if (condition.probability !== undefined) return `with probability ${condition.probability}`
  if (condition.times !== undefined) return `at most ${condition.times === 1 ? "once" : `${condition.times} times`}`
  if (condition.not !== undefined) return `not ${inWords(condition.not)}`
  return condition.and ? joined(condition.and, "and", "always") : joined(condition.or ?? [], "or", "never")
}

/** Whether a condition holds for a call, the next one after those it was asked before. */
type Holds = (call: Call) => boolean

const counting = (holds: (count: number) => boolean): Holds => {
  let count = 0
  return () => holds(++count)
}

const attempt = (n: number): Holds => {
  // So many pages are remembered at least, so that memory stays flat.
  const counts = new RecentMap<number>(100_000)
  return ({ cursor, userId }) => {
    const key = `${cursor}/${userId}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count === n
  }
}

const probability = (share: number, seed: string): Holds => {
  const random = Random.seeded(seed)
  return () => random.nextDoubleUnsafe() < share
}

/** All of them, each seeing only the calls for which the ones before it hold; or one of them, each seeing every call. */
const combined = (word: "and" | "or", conditions: ReadonlyArray<ConditionData>, seed: string): Holds => {
  const last = conditions.at(-1)
  if (last === undefined) return () => word === "and"
  if (conditions.length === 1) return start(last, seed)
  const before = combined(word, conditions.slice(0, -1), `${seed}/1`)
  const holds = start(last, `${seed}/2`)
  if (word === "and") return (call) => before(call) && holds(call)
  return (call) => [before(call), holds(call)].includes(true)
}

/** Begins counting and drawing. */
export const start = (condition: ConditionData, seed: string): Holds => {
  if (condition.where !== undefined) return condition.where
  const { every, nth, times, user } = condition
  if (user !== undefined) return ({ userId }) => userId !== undefined && user.includes(userId)
  if (condition.app !== undefined) return ({ appId }) => appId === condition.app
  if (condition.page !== undefined) return ({ page }) => page === condition.page
  if (condition.cursor !== undefined) return ({ cursor }) => cursor === condition.cursor
  if (nth !== undefined) return counting((count) => count === nth)
  if (every !== undefined) return counting((count) => count % every === 0)
  if (condition.attempt !== undefined) return attempt(condition.attempt)
  if (condition.probability !== undefined) return probability(condition.probability, seed)
  if (times !== undefined) return counting((count) => count <= times)
  if (condition.not !== undefined) {
    const holds = start(condition.not, seed)
    return (call) => !holds(call)
  }
  return condition.and === undefined ? combined("or", condition.or ?? [], seed) : combined("and", condition.and, seed)
}
