/**
 * `zim exports pause`, `resume` and `cancel`.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { database, databaseUrl, Quiet } from "../internal/flags.ts"
import { importDurable } from "../internal/lazyImports.ts"

/** The id of an export. */
export const exportId = Argument.String("ID").pipe(Argument.withDescription("Its id, as zim exports list has it"))

const make = (
  action: "pause" | "resume" | "cancel",
  words: { readonly said: (id: string) => string; readonly description: string; readonly short: string }
) =>
  Command.make(
    action,
    { id: exportId, database },
    Effect.fnUntraced(function* ({ database, id }) {
      const url = yield* databaseUrl(database)
      const durable = yield* importDurable
      yield* durable.Exports[action](id).pipe(Effect.mapError(durable.asked), Effect.provide(durable.store(url)))
      if (!(yield* Quiet)) yield* Console.error(words.said(id))
    })
  ).pipe(
    Command.withDescription(words.description),
    Command.withShortDescription(words.short),
    Command.withExamples([{ command: `zim exports ${action} users-2026-11-29-0123456789` }])
  )

/** Lets nothing be read until it is resumed. */
export const pause = make("pause", {
  said: (id) => `paused; to go on: zim exports resume ${id}`,
  description: "Let nothing of an export be read until it is resumed; what is under way is finished and saved.",
  short: "Let nothing be read until it is resumed"
})

/** Goes on. */
export const resume = make("resume", {
  said: (id) => `it goes on as soon as there is a worker; to follow it: zim exports show ${id} --watch`,
  description: "Go on with an export that is paused, has failed or was cancelled, from where it is.",
  short: "Go on with what is paused, failed or cancelled"
})

/** Ends it where it is. */
export const cancel = make("cancel", {
  said: (id) => `cancelled, and what has been read stays; to go on all the same: zim exports resume ${id}`,
  description: "End an export where it is. What has been read stays, and it can be resumed.",
  short: "End it where it is"
})
