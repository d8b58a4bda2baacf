/** What commands do with exports in a database: a chunk of the bundle. Failures are in their final words. */
import { Apps, DurableExport, Exports, SqlStore, type ExportStore } from "@effect-zim/durable"
import * as NodeWorker from "@effect-zim/durable/NodeWorker"
import type { UserList } from "@effect-zim/export"
import { UndiciHttpClient } from "@effect-zim/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SqlError from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { cannotListen, CommandFailed } from "../ErrorReport.ts"

export { Exports }

/** An export as JSON. */
export const encode = Schema.encodeSync(DurableExport.DurableExport)

type StoreFailed = ExportStore.StoreFailed

/** The error at the bottom: what the system or PostgreSQL said. */
const innermost = (error: unknown): unknown =>
  Predicate.hasProperty(error, "cause") && error.cause instanceof Error ? innermost(error.cause) : error

const reasonOf = (error: unknown): string => {
  const said = innermost(error)
  if (said instanceof AggregateError && said.errors.length > 0) return reasonOf(said.errors[0])
  return said instanceof Error && said.message !== "" ? said.message : "it does not answer"
}

const adviceOf = (error: SqlError.SqlError | undefined): string => {
  switch (error?.reason._tag) {
    case "AuthenticationError":
      return "Check the user and the password in ZIM_DATABASE_URL."
    case "AuthorizationError":
      return "Let the user of ZIM_DATABASE_URL own the schema zim, or create it."
    default:
      return "Check ZIM_DATABASE_URL, and that PostgreSQL, version 12 or later, runs and can be reached from here."
  }
}

const databaseFailed = (error: StoreFailed | SqlError.SqlError): CommandFailed => {
  const cause = error._tag === "StoreFailed" ? error.cause : error
  return new CommandFailed({
    problem: `the database does not work: ${reasonOf(error)}`,
    advice: adviceOf(SqlError.isSqlError(cause) ? cause : undefined),
    exit: "Failure"
  })
}

/** Whether the database may answer again, without anybody's doing anything about the command. */
export const isAway = (error: { readonly _tag: string; readonly cause?: unknown }): boolean =>
  error._tag === "StoreFailed" && SqlError.isSqlError(error.cause) && error.cause.reason._tag === "ConnectionError"

/** The failures of an export that is asked for by its id. */
export const asked = (
  error: Exports.ExportNotFound | Exports.NotPossible | Exports.SubmissionInvalid | StoreFailed
): CommandFailed => {
  switch (error._tag) {
    case "StoreFailed":
      return databaseFailed(error)
    case "ExportNotFound":
      return new CommandFailed({
        problem: error.message,
        advice: "For the ids of all exports, run: zim exports list",
        exit: "Request"
      })
    case "NotPossible":
      return new CommandFailed({
        problem: error.message,
        advice: `Nothing has been changed; look at it with: zim exports show ${error.id}`,
        exit: "Request"
      })
    case "SubmissionInvalid":
      return new CommandFailed({ problem: error.message, advice: "Choose another --name.", exit: "Usage" })
  }
}

const orFailed = <A, E, E2, R>(layer: Layer.Layer<A, E, R>, f: (error: E) => E2): Layer.Layer<A, E2, R> =>
  Layer.effectContext(Effect.mapError(Layer.build(layer), f))

/** The store in a database, for what a command does there. */
export const store = (url: Redacted.Redacted): Layer.Layer<ExportStore.ExportStore, CommandFailed> =>
  orFailed(SqlStore.layer.pipe(Layer.provide(NodeWorker.layerDatabase(url))), databaseFailed)

/** Submits an export, and says what there is then. */
export const submit = <R>(users: Stream.Stream<string, UserList.UserListUnreadable, R>, options: Exports.Options) =>
  Effect.gen(function* () {
    const { id, isNew } = yield* Exports.submit(users, options)
    return { isNew, export: yield* Exports.get(id) }
  }).pipe(Effect.mapError((error) => (error._tag === "UserListUnreadable" ? error : asked(error))))

export const failuresOf = (id: string) => Stream.mapError(Exports.failures(id), asked)

const appFailed = (error: Apps.AppInvalid): CommandFailed =>
  new CommandFailed({ problem: error.message, advice: `Correct ${error.setting}.`, exit: "Settings" })

type AppsError = Effect.Error<typeof Apps.readConfig>

const appsFailed = (error: AppsError): CommandFailed | Extract<AppsError, { readonly _tag: "SettingsInvalid" }> => {
  switch (error._tag) {
    case "SettingsInvalid":
      return error
    case "AppInvalid":
      return appFailed(error)
    case "AppsUnreadable":
      return new CommandFailed({
        problem: error.message,
        advice: 'Write {"NAME":{"ZIM_APP_ID":1234567890,"ZIM_SERVER_SECRET":"..."}}, with as many apps as you like.',
        exit: "Settings"
      })
  }
}

/** The apps in a file, or in the environment. */
export const appsOf = (file: string | undefined) =>
  Effect.mapError(file === undefined ? Apps.readConfig : Apps.readFile(file), appsFailed)

/** A worker for these apps. */
export const worker = (
  url: Redacted.Redacted,
  apps: Effect.Success<typeof Apps.readConfig>,
  where: { readonly host: string; readonly port: number }
) =>
  NodeWorker.layer(where).pipe(
    Layer.provide(Apps.layer(apps)),
    Layer.provide(UndiciHttpClient.layer),
    Layer.provide(NodeWorker.layerDatabase(url)),
    (layer) =>
      orFailed(layer, (error) => {
        switch (error._tag) {
          case "AppInvalid":
            return appFailed(error)
          case "ConfigError":
            return new CommandFailed({
              problem: error.message,
              advice: "Correct it in the environment.",
              exit: "Settings"
            })
          case "SocketServerError":
            return cannotListen(
              `${where.host}:${where.port}`,
              where.port,
              innermost(error.cause),
              "Choose another --port, or a --host that is this machine's own."
            )
          default:
            return databaseFailed(error)
        }
      })
  )
