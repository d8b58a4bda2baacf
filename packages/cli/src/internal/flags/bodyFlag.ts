/** The body of a request, as `--body` gives it: JSON itself, a file with it, or standard input. It is sent as it is. */
import { UntypedOperation } from "@effect-zim/client"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { CommandFailed } from "../../ErrorReport.ts"
import { whyUnreadable } from "../whyFileUnreadable.ts"

const decodeBody = Schema.decodeUnknownEffect(UntypedOperation.JsonText)

/** Where a body comes from, and what it is to say when that goes wrong. */
interface Source {
  readonly name: string
  readonly exit: "Usage" | "Failure"
}

const invalid = ({ exit, name }: Source, problem: string) =>
  new CommandFailed({
    problem: `${name} ${problem}`,
    advice: `A body is one JSON object, in single quotes for the shell: --body '{"FromUserId":"user-42"}'`,
    exit
  })

const parse = Effect.fnUntraced(function* (source: Source, text: string) {
  yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    // The engine says where, by the position or by what is around it.
    catch: (error) =>
      invalid(source, `is not valid JSON: ${error instanceof SyntaxError ? error.message : "it is nested too deeply"}`)
  })
  return yield* Effect.mapError(decodeBody(text), (error) => invalid(source, `cannot be sent: ${error.message}`))
})

const unreadable =
  ({ exit, name }: Source) =>
  (error: PlatformError.PlatformError) =>
    new CommandFailed({
      problem: `cannot read ${name}: ${whyUnreadable(error)}`,
      advice: "Check the path and the permissions; --body - reads standard input.",
      exit
    })

/** Strictly: what is no UTF-8 would be sent as something else. */
const parseBytes = Effect.fnUntraced(function* (source: Source, bytes: Uint8Array) {
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => invalid(source, "is not UTF-8")
  })
  return yield* parse(source, text)
})

/** The body that `--body` stands for. */
export const read = Effect.fnUntraced(function* (given: string) {
  if (given === "-") {
    const source: Source = { name: "standard input", exit: "Failure" }
    const { stdin } = yield* Stdio.Stdio
    const chunks = yield* Effect.mapError(Stream.runCollect(stdin), unreadable(source))
    return yield* parseBytes(source, Buffer.concat(chunks))
  }
  if (given.startsWith("@")) {
    const source: Source = { name: `the body file ${given.slice(1)}`, exit: "Failure" }
    const fs = yield* FileSystem.FileSystem
    return yield* parseBytes(source, yield* Effect.mapError(fs.readFile(given.slice(1)), unreadable(source)))
  }
  return yield* parse({ name: "--body", exit: "Usage" }, given)
})
