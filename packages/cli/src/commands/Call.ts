/**
 * `zim call`: any operation by its name.
 */
import { type ClientError, UntypedOperation, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as ErrorReport from "../ErrorReport.ts"
import { boolean } from "../internal/flags/commonFlags.ts"
import { Quiet } from "../internal/flags/globalFlags.ts"
import * as JsonText from "../internal/jsonText.ts"
import * as Output from "../internal/output.ts"
import * as BodyFlag from "../internal/flags/bodyFlag.ts"
import * as Colors from "../internal/terminal/colors.ts"
import { oneLine } from "../internal/terminal/terminalText.ts"

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
    const { advice, exit, problem } = ErrorReport.report(error)
    return new ErrorReport.CommandFailed({
      problem,
      advice:
        !isRead && maybeDone(error)
          ? "It may have been done all the same: look before you run it again. What only reads is repeated with --read."
          : advice,
      exit
    })
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
      ZimClient.execute(operation, yield* BodyFlag.read(body)),
      explain(operation.kind === "Read")
    )
    const { stdoutIsTerminal } = yield* Stdio.Stdio
    const isTerminal = yield* stdoutIsTerminal
    const chosen = Option.getOrElse(format, () => (isTerminal ? "text" : "json"))
    if (chosen === "text") return yield* Output.printLines(yield* text(answer))
    yield* Output.printLines([isTerminal ? JsonText.harmless(answer.text) : answer.text])
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
