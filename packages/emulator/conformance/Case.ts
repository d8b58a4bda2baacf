/** A sentence of `docs/contract.md`, and how to see whether it is true. */
import { deepStrictEqual } from "node:assert/strict"
import { Effect, Option, type Schema } from "effect"
import type { WorldChange } from "@effect-zim/emulator"
import type { NoAnswer } from "./Call.ts"
import { type NotTestable, Target } from "./Target.ts"

type Failure = NotTestable | NoAnswer | WorldChange.ChangeRefused | Schema.SchemaError

/** One test. `sentence` stands in the contract where the id does, word for word. */
export interface Case {
  readonly id: string
  readonly sentence: string
  /** Dies with an assertion's error where the sentence is not true. A text is what was seen of an open point. */
  readonly run: Effect.Effect<string | undefined, Failure, Target>
}

/** A sentence that is true or not. */
export const fact = (id: string, sentence: string, run: Effect.Effect<void, Failure, Target>): Case => ({
  id,
  sentence,
  run: Effect.as(run, undefined)
})

/** An open point: the emulator does what the contract says of it, the service shows what it does. */
export const open = (
  id: string,
  sentence: string,
  emulated: unknown,
  see: Effect.Effect<unknown, Failure, Target>
): Case => ({
  id,
  sentence,
  run: Effect.gen(function* () {
    const { emulator } = yield* Target
    const seen = yield* see
    if (Option.isNone(emulator)) return JSON.stringify(seen)
    deepStrictEqual(seen, emulated)
    return undefined
  })
})

/** What tells one conversation of a list from another. */
export const idOf = (entry: { readonly ConvId: string; readonly ConvType?: number }): string =>
  `${entry.ConvType ?? 0} ${entry.ConvId}`
