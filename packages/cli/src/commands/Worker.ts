/**
 * `zim worker start`: one of those who read exports, until it is stopped.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as ExitCode from "../ExitCode.ts"
import { database, databaseUrl, path, Quiet } from "../internal/flags.ts"
import { importDurable } from "../internal/lazyImports.ts"
import * as Output from "../internal/output.ts"
import { plural } from "../internal/quantities.ts"
import * as Terminal from "../internal/terminal.ts"

const defaults = { host: "127.0.0.1", port: 34_431 }

/** How long it may take to tell the others that they go on: who does not hear of it notices that nobody is there. */
const farewell = "1500 millis"

/** Runs something over a layer, whose end is waited for only so long. */
const over = <A, E, R, ROut, E2, R2>(self: Effect.Effect<A, E, R>, layer: Layer.Layer<ROut, E2, R2>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const running = Effect.andThen(Layer.buildWithScope(layer, scope), self)
      return yield* Effect.onExit(restore(running), (exit) =>
        Effect.gen(function* () {
          const closing = yield* Effect.forkDetach(Scope.close(scope, exit))
          yield* Effect.timeoutOption(Fiber.await(closing), farewell)
        })
      )
    })
  )

/** The one command of it. */
const start = Command.make(
  "start",
  {
    database,
    apps: Flag.String("apps").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("Settings of several apps, in JSON; default ZIM_APPS_FILE, or those in the environment"),
      Flag.withSchema(path),
      Flag.optional
    ),
    host: Flag.String("host").pipe(
      Flag.withMetavar("H"),
      Flag.withDescription(`By which name or address the other workers reach it; default ${defaults.host}`),
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDefault(defaults.host)
    ),
    port: Flag.Int("port").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription(`By which port; default ${defaults.port}`),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 }))),
      Flag.withDefault(defaults.port)
    )
  },
  Effect.fnUntraced(function* ({ apps: file, database, host, port }) {
    MutableRef.set(yield* ExitCode.WhenInterrupted, ExitCode.table.Ok.code)
    const url = yield* databaseUrl(database)
    const durable = yield* importDurable
    const apps = yield* durable.appsOf(Option.getOrUndefined(file))
    const appIds = apps.map(({ settings }) => settings.client.appId)
    const serving = Effect.gen(function* () {
      yield* Output.printLines([JSON.stringify({ host, port, appIds })])
      if ((yield* Terminal.isThere) && !(yield* Quiet)) {
        yield* Console.error(
          `\nThe worker reads exports of ${plural(apps.length, "app")}; Ctrl+C stops it. In another terminal:\n` +
            "  zim exports submit --users users.txt"
        )
      }
      return yield* Effect.never
    })
    return yield* over(serving, durable.worker(url, apps, { host, port }))
  })
).pipe(
  Command.withDescription(
    "Read exports that are kept in a PostgreSQL database, together with all other workers over it. Prints one line of " +
      "JSON when it is ready and runs until Ctrl+C, SIGTERM or the end of the terminal, which end it with exit code 0: " +
      "what it was reading goes on elsewhere at once. Needs the apps' settings, ZIM_APP_ID and so on; several apps are " +
      "in a file, or in ZIM_APPS_NAME_APP_ID and so on."
  ),
  Command.withShortDescription("Read exports until it is stopped"),
  Command.withExamples([
    {
      command: "ZIM_DATABASE_URL=postgres://zim@localhost/zim zim worker start",
      description: "One worker, for the app of the environment"
    },
    { command: "zim worker start --port 34432", description: "Another one on the same machine" },
    {
      command: "zim worker start --host 10.0.0.7 --apps /run/secrets/apps.json",
      description: "One of several machines, for several apps"
    }
  ])
)

/**
 * The commands.
 */
export const worker = Command.make("worker").pipe(
  Command.withDescription("Read exports that are kept in a PostgreSQL database: zim exports submits them."),
  Command.withShortDescription("Read exports that are kept in a database"),
  Command.withExamples([{ command: "zim worker start", description: "With ZIM_DATABASE_URL set" }]),
  Command.withSubcommands([start])
)
