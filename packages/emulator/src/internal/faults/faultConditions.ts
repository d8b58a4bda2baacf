/** To which calls a fault happens: counting and drawing, begun from a seed. */
import * as Random from "../seededRandom.ts"
import { RecentMap } from "../recentMap.ts"
import type { Call, ConditionData } from "./faultSchema.ts"

/** Whether a condition holds for a call, the next one after those it was asked before. */
export type Holds = (call: Call) => boolean

const counting = (holds: (count: number) => boolean): Holds => {
  let count = 0
  return () => holds(++count)
}

/** So many pages are remembered at least, so that memory stays flat. */
const remembered = 100_000

const attempt = (n: number): Holds => {
  const counts = new RecentMap<number>(remembered)
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

const negated =
  (holds: Holds): Holds =>
  (call) =>
    !holds(call)

/** Begins counting and drawing. */
export const start = (of: ConditionData, seed: string): Holds => {
  if (of.where !== undefined) return of.where
  const { every, nth, times, user } = of
  if (user !== undefined) return ({ userId }) => userId !== undefined && user.includes(userId)
  if (of.app !== undefined) return ({ appId }) => appId === of.app
  if (of.page !== undefined) return ({ page }) => page === of.page
  if (of.cursor !== undefined) return ({ cursor }) => cursor === of.cursor
  if (nth !== undefined) return counting((count) => count === nth)
  if (every !== undefined) return counting((count) => count % every === 0)
  if (of.attempt !== undefined) return attempt(of.attempt)
  if (of.probability !== undefined) return probability(of.probability, seed)
  if (times !== undefined) return counting((count) => count <= times)
  if (of.not !== undefined) return negated(start(of.not, seed))
  return of.and === undefined ? combined("or", of.or ?? [], seed) : combined("and", of.and, seed)
}
