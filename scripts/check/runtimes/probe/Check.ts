/** What is asked of each runtime: a row of `docs/runtimes.md` each. It runs on all of them, so it takes nothing of Node's. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const Given = Schema.Struct({
  /** Of the emulator. */
  url: Schema.String,
  /** Of the server beside it. */
  helperUrl: Schema.String,
  /** An app without a quota; the two after it have 20 calls a second each. */
  appId: Schema.Int,
  /** Where to write; empty where there are no files. */
  folder: Schema.String
})

export type Given = typeof Given.Type

/** As it is handed to the runtimes. */
export const GivenJson = Schema.fromJsonString(Given)

/** It succeeds where the runtime can do it. */
export type Check = (given: Given) => Effect.Effect<void, unknown>

/** By the name of the row. */
export type Checks = Readonly<Record<string, Check>>

/** By the name of the row: nothing where it can be done, and why not where not. */
export const Answers = Schema.Record(Schema.String, Schema.String)

export type Answers = typeof Answers.Type

/** The secret of all apps: nothing that is printed may have it. */
export const secret = "canary-9f27c1d4e8-that-nobody-prints"

/** What a worker prints when it is done, to each of its outputs. */
export const last = ["that was all of the logs", "that was all of the errors"] as const

export class Wrong extends Data.TaggedError("Wrong")<{ readonly message: string }> {}

export const expect = (holds: boolean, otherwise: string): Effect.Effect<void, Wrong> =>
  holds ? Effect.void : Effect.fail(new Wrong({ message: otherwise }))

/** Asks the helper beside the emulator: it answers when it is so, or with an error that says what it is instead. */
export const ask = (given: Given, path: string): Effect.Effect<string, Wrong> =>
  Effect.flatMap(
    Effect.promise(async () => {
      const response = await fetch(`${given.helperUrl}/${path}?app=${given.appId}`)
      return { isOk: response.ok, text: await response.text() }
    }),
    ({ isOk, text }) => (isOk ? Effect.succeed(text) : Effect.fail(new Wrong({ message: text })))
  )
