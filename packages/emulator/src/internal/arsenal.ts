import type * as EffectRandom from "effect/Random"
import type { Call, Fault } from "../Fault.ts"
import type { Action } from "./action.ts"

type Armed = { readonly fault: Fault; readonly holds: (call: Call) => boolean }

/** Faults whose counting and drawing has begun. */
export class Arsenal {
  readonly #armed: ReadonlyArray<Armed>

  constructor(faults: ReadonlyArray<Fault>, seed: string) {
    this.#armed = faults.map((fault, index) => {
      const conditions = fault.conditions.map((condition, i) => condition.start(`${seed}/${index}/${i}`))
      return { fault, holds: (call) => conditions.every((holds) => holds(call)) }
    })
  }

  /** The faults that happen to a call. */
  happening(call: Call): ReadonlyArray<Fault> {
    return this.#armed.length === 0 ? none : this.#armed.filter(({ holds }) => holds(call)).map(({ fault }) => fault)
  }
}

const none: ReadonlyArray<Fault> = []

/** The first action of this kind. */
export const find = <Tag extends Action["_tag"]>(
  faults: ReadonlyArray<Fault>,
  tag: Tag
): Extract<Action, { readonly _tag: Tag }> | undefined => {
  if (faults.length === 0) return undefined
  const is = (action: Action): action is Extract<Action, { readonly _tag: Tag }> => action._tag === tag
  return faults.map((fault) => fault.action).find(is)
}

/** How long the request or the answer is held up, in milliseconds. */
export const latency = (faults: ReadonlyArray<Fault>, on: "request" | "answer", random: EffectRandom.Random): number =>
  faults.reduce(
    (sum, { action }) => (action._tag === "Latency" && action.on === on ? sum + action.draw(random) : sum),
    0
  )

/** How many entries the faults move the start of a page by. */
export const shift = (faults: ReadonlyArray<Fault>): number =>
  faults.reduce((sum, { action }) => (action._tag === "Shift" ? sum + action.by : sum), 0)
