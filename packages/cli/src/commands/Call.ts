/**
 * `zim call`: any operation by its name.
 */
import { type ClientError, UntypedOperation, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as ErrorReport from "../ErrorReport.ts"
import * as Colors from "../internal/colors.ts"
import { boolean, Quiet } from "../internal/flags.ts"
import * as JsonText from "../internal/jsonText.ts"
import * as Output from "../internal/output.ts"
import { oneLine } from "../internal/printableText.ts"

// ---- what is sent ----

const decodeBody = Schema.decodeUnknownEffect(UntypedOperation.JsonText)

/** Where a body comes from, and what it is to say when that goes wrong. */
interface Source {
  readonly name: string
  readonly exit: "Usage" | "Failure"
}

const invalid = ({ exit, name }: Source, problem: string) =>
  new ErrorReport.CommandFailed({
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
    new ErrorReport.CommandFailed({
      problem: `cannot read ${name}: ${ErrorReport.whyUnreadable(error)}`,
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

/** The body that `--body` stands for: JSON itself, a file with it, or standard input. It is sent as it is. */
const readBody = Effect.fnUntraced(function* (given: string) {
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

// ---- what is shown ----

/** The envelope in a line. */
const heading = ({ code, message, requestId }: UntypedOperation.Response): string =>
  oneLine(`${code} ${message} (${requestId === undefined ? "no request id" : `request id ${requestId}`})`)

/** What the heading has. */
const envelope = new Set(["Code", "Message", "RequestId"])

/** For a terminal: the fields of the answer, under its heading. */
const text = Effect.fnUntraced(function* (answer: UntypedOperation.Response) {
  const style = yield* Colors.style
  return [...((yield* Quiet) ? [] : [style.dim(heading(answer))]), JsonText.indented(answer.text, style, envelope)]
})

/** Nobody was there: not found, or not listening. */
const unreached: ReadonlySet<string | undefined> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"])

/** What was sent and got no answer of the service may have been done. A redirect is an answer to something else. */
const maybeDone = (error: ClientError.CallError<UntypedOperation.Failure>): boolean => {
  switch (error._tag) {
    case "TransportFailed":
      return !unreached.has(error.systemCode)
    case "ResponseUnreadable":
      return error.reason._tag !== "Redirect"
    case "DeadlineExceeded":
      return error.attempts > 0
    default:
      return error._tag === "AttemptTimedOut"
  }
}

const explain =
  (isRead: boolean) =>
  (error: ClientError.CallError<UntypedOperation.Failure>): ErrorReport.CommandFailed => {
    const report = ErrorReport.report(error)
    const advice =
      !isRead && maybeDone(error)
        ? "It may have been done all the same: look before you run it again. What only reads is repeated with --read."
        : report.advice
    return new ErrorReport.CommandFailed({ ...report, advice })
  }

/**
 * The command.
 */
export const call = Command.make(
  "call",
  {
    action: Argument.String("ACTION").pipe(
      Argument.withDescription("The operation's name in the vendor's documentation, letter case included"),
      Argument.withSchema(UntypedOperation.Action)
    ),
    body: Flag.String("body").pipe(
      Flag.withMetavar("JSON"),
      Flag.withDescription("What it asks; @FILE reads a file, - standard input; of a GET the query; default {}"),
      Flag.withDefault("{}")
    ),
    method: Flag.Literals("method", ["GET", "POST"]).pipe(
      Flag.withDescription("How it is sent; default: as documented of the operation, POST where nothing is"),
      Flag.optional
    ),
    read: boolean("read").pipe(
      Flag.withDescription("It changes nothing: repeat it after any failure that may pass, like a documented read")
    ),
    format: Flag.Literals("format", ["text", "json"]).pipe(
      Flag.withDescription("How to print the answer; default: text on a terminal, json in a pipe"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ action, body, format, method, read }) {
    const operation = UntypedOperation.make(action, {
      kind: read ? "Read" : undefined,
      method: Option.getOrUndefined(method)
    })
    const answer = yield* Effect.mapError(
      ZimClient.execute(operation, yield* readBody(body)),
      explain(operation.kind === "Read")
    )
    const chosen = yield* Output.formatFor(format, "text", "json")
    yield* chosen === "text" ? Output.printLines(yield* text(answer)) : Output.printJson(answer.text)
  })
).pipe(
  Command.provide(() => ZimClient.layerConfig().pipe(Layer.provide(UndiciHttpClient.layer))),
  Command.withDescription(
    "Call any operation of the server API by its name, signed and within the quota like every other. The documented ones " +
      "are sent as documented, 20 of them by GET. What is not documented to be a read is repeated only where it was surely " +
      "not done."
  ),
  Command.withShortDescription("Call any operation by its name"),
  Command.withExamples([
    { command: `zim call QueryUserInfos --body '{"UserIds":["user-42"]}'` },
    {
      command: `zim call QueryUserOnlineState --body '{"UserId":["ada","grace"]}'`,
      description: "A GET: the list is UserId[]=ada&UserId[]=grace"
    },
    { command: "zim call SendPeerMessage --body @message.json", description: "The body from a file" },
    { command: "jq -n '{UserIds: [env.USER]}' | zim call QueryUserInfos --body -", description: "From a pipe" },
    {
      command: `zim call QueryConversationList --body '{"FromUserId":"ada"}' | jq .TotalCount`,
      description: "In a pipe: the answer as it came"
    }
  ])
)
