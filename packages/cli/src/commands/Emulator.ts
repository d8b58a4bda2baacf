/**
 * `zim emulator start`: the service on a loopback port of this machine, until it is stopped.
 */
import { Emulator, ServiceClock } from "@effect-zim/emulator"
import type { World } from "@effect-zim/emulator"
import * as EmulatorAdmin from "@effect-zim/emulator/EmulatorAdmin"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { AppId } from "@effect-zim/protocol"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as ExitCode from "../ExitCode.ts"
import { CommandFailed } from "../ErrorReport.ts"
import * as EmulatorOptions from "../internal/emulatorOptions.ts"
import * as Output from "../internal/output.ts"
import * as Terminal from "../internal/terminal.ts"
import { finiteDuration, path, positiveDuration, Quiet } from "../internal/flags.ts"

const { defaultAppId, defaultServerSecret, defaults } = EmulatorOptions

const cannotListen = (flag: "port" | "admin-port", port: number, cause: unknown): CommandFailed => {
  const code = Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : undefined
  return new CommandFailed({
    problem:
      code === "EADDRINUSE"
        ? `port ${port} is in use by another program`
        : `cannot listen on port ${port}: ${code ?? "the system refused"}`,
    advice: `Choose another port with --${flag}, or a free one with --${flag} 0.`,
    exit: "Failure"
  })
}

/** What a person needs to go on in another terminal. */
const nextSteps = (url: string, adminUrl: string, world: World.World, secret: string): string => {
  const user = world.users.find(({ conversations }) => conversations.length > 0)?.userId ?? "user-1"
  return [
    "",
    "The emulator is running; Ctrl+C stops it. In another terminal:",
    `  export ZIM_APP_ID=${world.apps[0]?.appId ?? defaultAppId} ZIM_SERVER_SECRET=${secret} ZIM_BASE_URL=${url}`,
    `  zim conversations list ${user}`,
    `Look at it and steer it: ${adminUrl}`
  ].join("\n")
}

const highestPort = 65_535
const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: highestPort }))

/** Runs the emulator and its admin API until the scope is closed; where they listen. */
const serve = Effect.fnUntraced(function* (
  emulator: Layer.Layer<Emulator.Emulator>,
  flags: { readonly port: number; readonly adminPort: Option.Option<number> }
) {
  const shared = yield* Layer.build(emulator)
  const server = yield* Layer.build(EmulatorServer.layer({ port: flags.port })).pipe(
    Effect.catchTags({
      ServeError: (error) => Effect.fail(cannotListen("port", flags.port, error.cause)),
      HostNotLoopback: (error) => Effect.die(error)
    }),
    Effect.provideContext(shared)
  )
  const { url } = Context.get(server, EmulatorServer.EmulatorServer)
  const adminPort = Option.getOrElse(flags.adminPort, () =>
    flags.port === 0 || flags.port === highestPort ? 0 : flags.port + 1
  )
  const admin = yield* Layer.build(EmulatorAdmin.layer({ port: adminPort, emulatorUrl: url })).pipe(
    Effect.catchTags({
      ServeError: (error) => Effect.fail(cannotListen("admin-port", adminPort, error.cause)),
      HostNotLoopback: (error) => Effect.die(error)
    }),
    Effect.provideContext(shared)
  )
  return { url, adminUrl: Context.get(admin, EmulatorAdmin.EmulatorAdmin).url }
})

/** The one command of it. */
const start = Command.make(
  "start",
  {
    port: Flag.Int("port").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription(`Port on 127.0.0.1; 0 takes a free one; default ${defaults.port}`),
      Flag.withSchema(Port),
      Flag.withDefault(defaults.port)
    ),
    adminPort: Flag.Int("admin-port").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Port of the admin API; 0 takes a free one; default the one after --port"),
      Flag.withSchema(Port),
      Flag.optional
    ),
    world: Flag.String("world").pipe(
      Flag.withMetavar("PATH"),
      Flag.withDescription("A world file, or a folder with one: apps, users and their conversations"),
      Flag.withSchema(path),
      Flag.optional
    ),
    users: Flag.Int("users").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription(`How many users to generate, called user-1, user-2, ...; default ${defaults.users}`),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))),
      Flag.optional
    ),
    seed: Flag.String("seed").pipe(
      Flag.withMetavar("S"),
      Flag.withDescription(`The same seed generates the same lists; default ${defaults.seed}`),
      Flag.optional
    ),
    appId: Flag.Int("app-id").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription(`The app of the generated world; default ${defaultAppId}`),
      Flag.withSchema(AppId.AppId),
      Flag.optional
    ),
    serverSecret: Flag.Redacted("server-secret").pipe(
      Flag.withMetavar("S"),
      Flag.withDescription(`Its secret, for this emulator only; default ${defaultServerSecret}`),
      Flag.optional
    ),
    quotaModel: Flag.Literals("quota-model", EmulatorOptions.quotaModels).pipe(
      Flag.withMetavar("MODEL"),
      Flag.withDescription("How calls are counted; default sliding"),
      Flag.withDefault("sliding")
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Calls per window and app; default 20"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))),
      Flag.optional
    ),
    window: Flag.String("window").pipe(
      Flag.withMetavar("DURATION"),
      Flag.withDescription('The window of the quota, e.g. "500 millis"; default "1 second"'),
      Flag.withSchema(positiveDuration),
      Flag.optional
    ),
    faults: Flag.String("faults").pipe(
      Flag.withMetavar("FAULTS"),
      Flag.withDescription(`What goes wrong, a file or JSON: '{"type":"hang","when":[{"nth":3}]}'`),
      Flag.optional
    ),
    clockOffset: Flag.String("clock-offset").pipe(
      Flag.withMetavar("DURATION"),
      Flag.withDescription('How far its clock is ahead, e.g. "11 minutes"; behind: --clock-offset="-11 minutes"'),
      Flag.withSchema(finiteDuration),
      Flag.withDefault(Duration.zero)
    )
  },
  Effect.fnUntraced(function* (flags) {
    MutableRef.set(yield* ExitCode.WhenInterrupted, ExitCode.table.Ok.code)
    const world = yield* EmulatorOptions.worldOf(flags)
    const emulator = Emulator.layer({
      world,
      quota: yield* EmulatorOptions.quotaOf(flags),
      faults: yield* EmulatorOptions.faultsOf(flags.faults),
      clock: ServiceClock.skewed(flags.clockOffset)
    })
    const { adminUrl, url } = yield* serve(emulator, flags)
    // A secret that somebody chose is theirs: only the public one is shown.
    const isPublic = Option.isNone(flags.world) && Option.isNone(flags.serverSecret)
    yield* Output.printLines([
      JSON.stringify({
        url,
        adminUrl,
        appId: world.apps[0]?.appId,
        ...(isPublic ? { serverSecret: defaultServerSecret } : {}),
        users: world.users.length,
        conversations: world.users.reduce((sum, user) => sum + user.conversations.length, 0)
      })
    ])
    if ((yield* Terminal.isThere) && !(yield* Quiet)) {
      yield* Console.error(nextSteps(url, adminUrl, world, isPublic ? defaultServerSecret : "..."))
    }
    return yield* Effect.never
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Serve the API on a loopback port: strict, with made-up lists, 20 calls a second. Prints one line of JSON when it is " +
      "ready and runs until Ctrl+C, SIGTERM or the end of the terminal, which end it with exit code 0."
  ),
  Command.withShortDescription("Serve the API on a loopback port"),
  Command.withExamples([
    { command: "zim emulator start", description: "A generated world; its settings are printed" },
    { command: "zim emulator start --users 500 --seed 7 --port 0", description: "Another one, on a free port" },
    { command: "zim emulator start --world world.json", description: "Your own apps, users and conversations" },
    {
      command: `zim emulator start --limit 5 --faults '{"type":"hang","when":[{"nth":3}]}'`,
      description: "A tighter quota, and a third call that hangs"
    }
  ])
)

/**
 * The commands.
 */
export const emulator = Command.make("emulator").pipe(
  Command.withDescription("Run the service without an account."),
  Command.withShortDescription("Run the service without an account"),
  Command.withExamples([{ command: "zim emulator start", description: "A generated world; its settings are printed" }]),
  Command.withSubcommands([start])
)
