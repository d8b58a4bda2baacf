/**
 * What `zim` says when it fails: what happened, what to do, and the exit code.
 */
import { ClientError } from "@effect-zim/client"
import type { Checkpoint, Export, ExportSink, UserList } from "@effect-zim/export"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Match from "effect/Match"
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { hostname } from "node:os"
import * as ExitCode from "./ExitCode.ts"
import { oneLine, wrap } from "./internal/printableText.ts"

/**
 * A failure of a command itself, in its final words.
 */
export class CommandFailed extends Schema.TaggedError<CommandFailed>("@effect-zim/cli/CommandFailed")("CommandFailed", {
  problem: Schema.String,
  advice: Schema.String,
  exit: Schema.Literals(ExitCode.names)
}) {
  override get message(): string {
    return this.problem
  }
}

/** The system's name of a failure, as `ECONNREFUSED`; its message may be pages long. */
export const systemCode = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : undefined

/** A port cannot be had. */
export const cannotListen = (place: string, port: number, cause: unknown, advice: string): CommandFailed => {
  const code = systemCode(cause)
  return new CommandFailed({
    problem:
      code === "EADDRINUSE"
        ? `port ${port} is in use by another program`
        : `cannot listen on ${place}: ${code ?? "the system refused"}`,
    advice,
    exit: "Failure"
  })
}

/** Why a file cannot be read, in a few words. */
export const whyUnreadable = ({ reason }: PlatformError.PlatformError): string => {
  switch (reason._tag) {
    case "NotFound":
      return "there is no such file"
    case "PermissionDenied":
      return "permission denied"
    default:
      return systemCode(reason.cause) === "EISDIR" ? "it is a folder" : "it is not a readable file"
  }
}

/**
 * Everything that a command can fail with.
 */
export type CommandError =
  | ClientError.AnyError
  | CliError.CliError
  | PlatformError.PlatformError
  | CommandFailed
  | ExportError

/** What an export fails with, beside errors of the client. */
type ExportError =
  | UserList.UserListUnreadable
  | ExportSink.OpenError
  | ExportSink.SaveError
  | Export.NobodyExported
  | Export.UsersVanished

/**
 * A failure as it is shown: two lines of text, and the exit code.
 */
export interface Report {
  readonly problem: string
  readonly advice: string
  readonly exit: ExitCode.Name
}

const exitOfCategory: Record<ClientError.Traits["category"], ExitCode.Name> = {
  Settings: "Settings",
  BadRequest: "Request",
  NotRegistered: "Request",
  RateLimit: "RateLimit",
  Authentication: "Authentication",
  Clock: "Authentication",
  Permission: "Authentication",
  Server: "Service",
  Transport: "Service",
  NotFound: "Request",
  AlreadyDone: "Request",
  Conflict: "Request",
  Full: "Request",
  Rejected: "Request",
  AllFailed: "Request"
}

const more = (count: number): string => (count === 0 ? "" : ` (and ${count} more)`)

/** What to do beside looking at the help, if anything can be said. */
const hintOf = (error: CliError.CliError): string => {
  const suggestions = "suggestions" in error ? error.suggestions : []
  if (suggestions.length > 0) return `Did you mean ${suggestions.join(" or ")}? `
  return error._tag === "UnrecognizedOption" && !error.option.startsWith("--")
    ? "Put -- before a value that begins with a hyphen. "
    : ""
}

const ofUsage = (error: CliError.CliError): Report => {
  const shown = error._tag === "ShowHelp" ? (error.errors[0] ?? error) : error
  const path = error._tag === "ShowHelp" ? error.commandPath.join(" ") : "zim"
  // The suggestions are a second paragraph of the message.
  const [message = ""] = shown.message.replace(". Expected: Schema validation failed: ", ": ").split("\n\n")
  return {
    problem: `${message}${more(error._tag === "ShowHelp" ? error.errors.length - 1 : 0)}`,
    advice: `${hintOf(shown)}Run: ${path} --help`,
    exit: "Usage"
  }
}

const nearer = "Choose the nearest region with ZIM_REGION, check the network, or try again later."
const slower =
  "Slow down: other programs share the app's quota. Try again later; export and doctor take --calls-per-second."

/** The advice of the library is for programmers where it names the library's own settings. */
const adviceOf = Match.type<ClientError.AnyError>().pipe(
  Match.tags({
    SettingsInvalid: ({ problem, setting }) =>
      problem.startsWith("not set")
        ? `Set ${setting} in the environment; without an account, try: zim emulator start`
        : `Correct ${setting} in the environment.`,
    RequestInvalid: () => "Correct the user id and run the command again: nothing was sent.",
    TransportFailed: () =>
      "Check the network, ZIM_REGION and ZIM_BASE_URL; if the service itself is down, try again later.",
    AttemptTimedOut: () => nearer,
    DeadlineExceeded: () => nearer,
    CircuitOpen: () =>
      "The service failed several times in a row: try again later, or choose another region with ZIM_REGION.",
    RateLimited: () => slower,
    Throttled: () => slower,
    ResponseUnreadable: (error) => unreadableAdvice[error.reason._tag] ?? ClientError.advice(error)
  }),
  Match.orElse(ClientError.advice)
)

const unreadableAdvice: { readonly [Reason in ClientError.UnreadableReason["_tag"]]?: string } = {
  TooLarge: "Check ZIM_BASE_URL: the service's answers are smaller.",
  Redirect: "Check ZIM_REGION and ZIM_BASE_URL: the service itself does not redirect."
}

const reportOf = (error: ClientError.AnyError, problem = error.message): Report => ({
  problem,
  advice: adviceOf(error),
  exit: exitOfCategory[ClientError.traits(error).category]
})

const checkpointAdvice: Record<Checkpoint.InvalidReason["_tag"], string> = {
  Unreadable: "Begin anew with --restart.",
  OtherVersion: "Use the version of zim that it was begun with, or begin anew with --restart.",
  OtherFormat: "Choose that --format, with or without --spreadsheet, or another --out.",
  OtherApp: "Set ZIM_APP_ID to that app, or choose another --out.",
  OtherUsers: "Give the users that it was begun with (more may follow at the end), or begin anew with --restart.",
  MoreUsers: "Export the others to another --out, or begin anew with --restart.",
  OutputChanged: "Put it back as it was, or begin anew with --restart."
}

const usersAdvice: Record<UserList.UnreadableReason["_tag"], string> = {
  Unreadable: "Check the path and the permissions; --users - reads standard input.",
  NotUtf8: "Write a text in UTF-8, an id on each line: iconv -f UTF-16 -t UTF-8, gunzip, Out-File -Encoding utf8.",
  Changed: "Let nothing write to it during an export; between two runs lines may be added at its end."
}

const sinkAdvice: Record<Exclude<ExportSink.FailureReason["_tag"], "Unknown">, string> = {
  Damaged: "Put a sound copy of the database in its place, choose another --out, or begin anew with --restart.",
  DeviceFailed:
    "Make room, look whether the device is sound, or choose another --out; what was saved before stays saved.",
  Locked: "Wait for the other program, or end it.",
  NoDatabase: "It is left as it is: choose another --out, or replace it with --restart.",
  NoSpace: "Make room, or choose another --out; what was saved before stays saved.",
  PermissionDenied: "See to the permissions of the file and its folder, or choose another --out.",
  ReadOnlyFileSystem: "Choose an --out on a file system that can be written.",
  TooManyOpenFiles: "Raise the number of files that may be open: ulimit -n.",
  Unreachable: "Look whether the database runs, then go on with --resume; what was saved before stays saved."
}

/** The number of a process means another one on another machine. */
const stopping = (holder: ExportSink.Holder | undefined): string => {
  if (holder === undefined) return ""
  return holder.host === hostname() ? ` with: kill ${holder.pid}` : ` on ${holder.host}`
}

const adviceOfExport = (error: ExportError): string => {
  switch (error._tag) {
    case "UserListUnreadable":
      return usersAdvice[error.reason._tag]
    case "NobodyExported":
      return "Correct the users, an id on each line, or ZIM_APP_ID; then begin anew with --restart."
    case "UsersVanished":
      return "Check ZIM_APP_ID and ZIM_BASE_URL, then go on with --resume; or correct the users, and begin anew with --restart."
    case "OutputExists":
      return error.isUnfinished
        ? "Go on with it with --resume, or begin anew with --restart."
        : "Choose another --out, or replace it with --restart."
    case "OutputInUse":
      return `Let it end, or stop it${stopping(error.holder)}; every export needs an --out and --failures of its own.`
    case "OutputUnusable":
      return "It has been left as it is: choose another path."
    case "SameFile":
      return "Give each a file of its own."
    case "SinkFailed":
      if (error.reason._tag !== "Unknown") return sinkAdvice[error.reason._tag]
      return error.operation === "read"
        ? "Check the file and its permissions, or begin anew with --restart."
        : "Look at the device, or choose another --out; what was saved before stays saved."
    case "CheckpointInvalid":
      return checkpointAdvice[error.reason._tag]
  }
}

/**
 * The report of an error.
 */
export const report = (error: CommandError): Report => {
  if (CliError.isCliError(error)) return ofUsage(error)
  switch (error._tag) {
    case "CommandFailed":
      return error
    case "PlatformError":
      return {
        problem: `cannot write the output: ${error.cause instanceof Error ? error.cause.message : error.message}`,
        advice: "Check the file or device that the output goes to.",
        exit: "Failure"
      }
    case "SameFile":
      return { problem: error.message, advice: adviceOfExport(error), exit: "Usage" }
    case "NobodyExported":
    case "UsersVanished":
      return { problem: error.message, advice: adviceOfExport(error), exit: "Request" }
    case "UserListUnreadable":
    case "OutputExists":
    case "OutputInUse":
    case "OutputUnusable":
    case "SinkFailed":
    case "CheckpointInvalid":
      return { problem: error.message, advice: adviceOfExport(error), exit: "Failure" }
    case "RequestInvalid":
      // Without the field's path: a command line has no fields.
      return reportOf(error, error.problem.replace(/\s+at \["\w+"\]$/, ""))
    default:
      return reportOf(error)
  }
}

/** A defect's message may quote a URL: a signed one is a credential. */
const withoutQueries = (text: string): string => text.replaceAll(/\?[^\s"'<>]*/g, "?…")

/**
 * The report of whatever a command ended with; a defect's shows no stack.
 */
export const reportCause = (cause: Cause.Cause<CommandError>): Report => {
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined) return report(failure.error)
  const defect = Cause.squash(cause)
  return {
    problem: `unexpected: ${withoutQueries(defect instanceof Error ? `${defect.name}: ${defect.message}` : String(defect))}`,
    advice: "This is a bug in zim: please report it with the command you ran.",
    exit: "Failure"
  }
}

/** A command at the end, to be copied: it is never broken. */
const command = / (?=zim conversations export .*--resume$)/

/**
 * The two lines of a report. With a width, that of a terminal, they are broken between words.
 */
export const lines = (report: Report, width = Infinity): string =>
  [`error: ${oneLine(report.problem)}`, `help: ${oneLine(report.advice)}`]
    .flatMap((line) => (line.length <= width ? [line] : line.split(command)))
    .flatMap((line) => (line.startsWith("zim ") ? [line] : wrap(line, width)))
    .join("\n")
