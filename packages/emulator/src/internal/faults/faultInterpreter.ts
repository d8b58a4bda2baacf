/** What the faults that happen to a call do to it, step by step. */
import * as Duration from "effect/Duration"
import type * as EffectRandom from "effect/Random"
import type { Reply } from "../../HttpExchange.ts"
import type { Fault } from "../../Fault.ts"
import * as Random from "../seededRandom.ts"
import * as Bodies from "./brokenBodies.ts"
import type { Action } from "./faultSchema.ts"
import type { Call } from "./faultConditions.ts"

/** No tail is longer than this: a day. */
const longest = 86_400_000

const bounded = (millis: number): number => Math.min(longest, Math.max(0, millis))

/** Draws how long a call is held up by this, in milliseconds. */
const drawDelay = (action: Action, random: EffectRandom.Random): number => {
  switch (action.type) {
    case "latency":
      return Duration.toMillis(action.duration)
    case "latencyBetween": {
      const range = Duration.toMillis(action.maximum) - Duration.toMillis(action.minimum)
      return Duration.toMillis(action.minimum) + (range === 0 ? 0 : random.nextDoubleUnsafe() * range)
    }
    case "latencyNormal":
      return bounded(Duration.toMillis(action.mean) + Duration.toMillis(action.deviation) * Random.normal(random))
    case "latencyLogNormal":
      return bounded(Duration.toMillis(action.median) * Math.exp(action.sigma * Random.normal(random)))
    case "latencyExponential":
      return bounded(-Duration.toMillis(action.mean) * Math.log(Random.positive(random)))
    case "latencyPareto":
      return bounded(Duration.toMillis(action.minimum) / Random.positive(random) ** (1 / action.shape))
    default:
      return 0
  }
}

/** The faults that happen to one call: what they do to it at each step. Of several of one kind, the first counts. */
export class Happening {
  readonly #actions: ReadonlyArray<Action>
  /** As the journal calls them. */
  readonly names: ReadonlyArray<string>

  constructor(faults: ReadonlyArray<Fault>) {
    this.#actions = faults.map(({ action }) => action)
    this.names = faults.map(({ name }) => name)
  }

  /** The first fault of this type. */
  find<Type extends Action["type"]>(type: Type): Extract<Action, { readonly type: Type }> | undefined {
    const is = (action: Action): action is Extract<Action, { readonly type: Type }> => action.type === type
    return this.#actions.find(is)
  }

  /** For how many milliseconds the request or the answer is held up: latencies add up. */
  delay(on: "request" | "answer", random: EffectRandom.Random): number {
    return this.#actions
      .filter((action) => ("on" in action ? action.on === on : on === "answer"))
      .reduce((sum, action) => sum + drawDelay(action, random), 0)
  }

  /** By how many entries a page starts too late; too early, where it is negative. */
  get shift(): number {
    return this.#actions.reduce((sum, action) => {
      if (action.type === "missingEntries") return sum + action.count
      return action.type === "duplicateEntries" ? sum - action.count : sum
    }, 0)
  }

  /** The `Next` in place of the right one; `issue` makes a cursor that leads to a page. */
  next(page: number, issue: (page: number) => bigint | number | undefined): bigint | number | string | undefined {
    const next = this.find("nextCursor")?.next
    if (next !== undefined) return typeof next === "object" ? BigInt(next.digits) : next
    const circle = this.find("cyclingCursor")
    return circle && issue(2 + ((page - 1) % circle.length))
  }

  /** The reply in place of the right one: one fault after the other. */
  rewrite(reply: Reply): Reply {
    return this.#actions.reduce(Bodies.rewrite, reply)
  }
}

/** Gives, for each call, the faults that happen to it. */
export const make = (faults: ReadonlyArray<Fault>, seed: string): ((call: Call) => Happening) => {
  const running = faults.map((fault, index) => ({
    fault,
    conditions: fault.conditions.map((condition, i) => condition.start(`${seed}/${index}/${i}`))
  }))
  // A condition that counts sees only the calls for which those before it hold.
  const happens = (call: Call) => running.filter(({ conditions }) => conditions.every((holds) => holds(call)))
  return (call) => new Happening(happens(call).map(({ fault }) => fault))
}
