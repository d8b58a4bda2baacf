/**
 * `zim emulator start`: the service on a loopback port of this machine, until it is stopped.
 */
import { Emulator, ServiceClock } from "@effect-zim/emulator"
import type { World } from "@effect-zim/emulator"
import * as EmulatorAdmin from "@effect-zim/emulator/EmulatorAdmin"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import { cannotListen } from "../ErrorReport.ts"
import * as ExitCode from "../ExitCode.ts"
import * as EmulatorFlags from "../internal/emulatorFlags.ts"
import { Quiet } from "../internal/flags.ts"
import * as Output from "../internal/output.ts"
import * as Terminal from "../internal/terminal.ts"

const { defaultAppId, defaultServerSecret, highestPort } = EmulatorFlags

const advice = (flag: string) => `Choose another port with --${flag}, or a free one with --${flag} 0.`

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

/** Runs the emulator and its admin API until the scope is closed; where they listen. */
const serve = Effect.fnUntraced(function* (emulator: Layer.Layer<Emulator.Emulator>, flags: EmulatorFlags.Flags) {
  const shared = yield* Layer.build(emulator)
  const server = yield* Layer.build(EmulatorServer.layer({ port: flags.port })).pipe(
    Effect.catchTags({
      ServeError: ({ cause }) => cannotListen(`port ${flags.port}`, flags.port, cause, advice("port")),
      HostNotLoopback: Effect.die
    }),
    Effect.provideContext(shared)
  )
  const { url } = Context.get(server, EmulatorServer.EmulatorServer)
  const adminPort = Option.getOrElse(flags.adminPort, () =>
    flags.port === 0 || flags.port === highestPort ? 0 : flags.port + 1
  )
  const admin = yield* Layer.build(EmulatorAdmin.layer({ port: adminPort, emulatorUrl: url })).pipe(
    Effect.catchTags({
      ServeError: ({ cause }) => cannotListen(`port ${adminPort}`, adminPort, cause, advice("admin-port")),
      HostNotLoopback: Effect.die
    }),
    Effect.provideContext(shared)
  )
  return { url, adminUrl: Context.get(admin, EmulatorAdmin.EmulatorAdmin).url }
})

/** The one command of it. */
const start = Command.make(
  "start",
  EmulatorFlags.flags,
  Effect.fnUntraced(function* (flags) {
    MutableRef.set(yield* ExitCode.WhenInterrupted, ExitCode.table.Ok.code)
    const world = yield* EmulatorFlags.worldOf(flags)
    const emulator = Emulator.layer({
      world,
      quota: yield* EmulatorFlags.quotaOf(flags),
      faults: yield* EmulatorFlags.faultsOf(flags.faults),
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
