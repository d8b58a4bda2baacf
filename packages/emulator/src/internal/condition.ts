/** Which calls a fault happens to. `Fault` exports it all. */
import { dual } from "effect/Function"
import * as Pipeable from "effect/Pipeable"
import * as Describe from "./describe.ts"
import { checkNumbers, ConditionSpec } from "./faultSpec.ts"
import * as Random from "./random.ts"
import { Recent } from "./recent.ts"

const inspect = Symbol.for("nodejs.util.inspect.custom")

/**
 * What is known of a call before it is processed.
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

/**
 * Which calls a fault happens to. `start` begins counting and drawing, from a seed.
 */
export class Condition extends Pipeable.Class {
  readonly start: (seed: string) => (call: Call) => boolean
  /** As data; `undefined` where a function is in it. */
  readonly spec: ConditionSpec | undefined
  constructor(start: (seed: string) => (call: Call) => boolean, spec?: ConditionSpec) {
    super()
    this.start = start
    this.spec = spec
    checkNumbers(ConditionSpec, spec)
  }
  /** In words: `every 7th call`. */
  override toString(): string {
    return this.spec === undefined ? "a function holds" : Describe.condition(this.spec)
  }
  toJSON(): unknown {
    return this.spec ?? this.toString()
  }
  [inspect](): string {
    return this.toString()
  }
}

/** Calls for which a function of the call holds. */
export const where = (predicate: (call: Call) => boolean): Condition => new Condition(() => predicate)

const matching = (predicate: (call: Call) => boolean, spec: ConditionSpec): Condition =>
  new Condition(() => predicate, spec)

/** Calls for one of these users. */
export const user = (...userIds: ReadonlyArray<string>): Condition =>
  matching((call) => call.userId !== undefined && userIds.includes(call.userId), { user: userIds })

/** Calls of this app. */
export const app = (appId: number): Condition => matching((call) => call.appId === appId, { app: appId })

/** Calls for this page of a list, counted from 1. */
export const page = (number: number): Condition => matching((call) => call.page === number, { page: number })

/** Calls that send this `Next`. */
export const cursor = (digits: string): Condition => matching((call) => call.cursor === digits, { cursor: digits })

const counting = (holds: (count: number) => boolean, spec: ConditionSpec): Condition =>
  new Condition(() => {
    let count = 0
    return () => holds(++count)
  }, spec)

/** The first `n` calls that the conditions before it let through. */
export const first = (n: number): Condition => counting((count) => count <= n, { times: n })

/** The nth call, counted from 1 among the calls that the conditions before it let through. */
export const nth = (n: number): Condition => counting((count) => count === n, { nth: n })

/** Every nth call, counted among the calls that the conditions before it let through. */
export const every = (n: number): Condition => counting((count) => count % n === 0, { every: n })

/** So many pages are remembered at least, so that memory stays flat. */
const remembered = 100_000

/** The nth time that a user's page is asked for, counted from 1 for each page of each user. */
export const attempt = (n: number): Condition =>
  new Condition(
    () => {
      const counts = new Recent<number>(remembered)
      return ({ cursor, userId }) => {
        const key = `${cursor}/${userId}`
        const count = (counts.get(key) ?? 0) + 1
        counts.set(key, count)
        return count === n
      }
    },
    { attempt: n }
  )

/** This share of the calls, from 0 to 1, drawn from the seed. */
export const probability = (share: number): Condition =>
  new Condition(
    (seed) => {
      const random = Random.seeded(seed)
      return () => random.nextDoubleUnsafe() < share
    },
    { probability: share }
  )

const both = (
  self: Condition,
  that: Condition,
  spec: (specs: ReadonlyArray<ConditionSpec>) => ConditionSpec
): ConditionSpec | undefined =>
  self.spec === undefined || that.spec === undefined ? undefined : spec([self.spec, that.spec])

/** Calls for which both hold. The second sees only the calls for which the first holds. */
export const and: {
  (that: Condition): (self: Condition) => Condition
  (self: Condition, that: Condition): Condition
} = dual(
  2,
  (self: Condition, that: Condition): Condition =>
    new Condition(
      (seed) => {
        const first = self.start(`${seed}/1`)
        const second = that.start(`${seed}/2`)
        return (call) => first(call) && second(call)
      },
      both(self, that, (and) => ({ and }))
    )
)

/** Calls for which at least one holds. Both see every call. */
export const or: {
  (that: Condition): (self: Condition) => Condition
  (self: Condition, that: Condition): Condition
} = dual(
  2,
  (self: Condition, that: Condition): Condition =>
    new Condition(
      (seed) => {
        const first = self.start(`${seed}/1`)
        const second = that.start(`${seed}/2`)
        return (call) => {
          const either = [first(call), second(call)]
          return either.includes(true)
        }
      },
      both(self, that, (or) => ({ or }))
    )
)

/** Calls for which it does not hold. */
export const not = (self: Condition): Condition =>
  new Condition(
    (seed) => {
      const holds = self.start(seed)
      return (call) => !holds(call)
    },
    self.spec === undefined ? undefined : { not: self.spec }
  )
