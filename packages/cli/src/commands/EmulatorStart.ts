/**
 * `zim emulator start`: the service on a loopback port of this machine, until it is stopped.
 */
import { Emulator, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { AppId } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as ExitCode from "../ExitCode.ts"
import { CommandFailed } from "../Failure.ts"
import * as Output from "../internal/output.ts"

/**
 * The app of a generated world, unless `--app-id` says otherwise.
 */
export const defaultAppId = 12345

/**
 * The secret of that app, unless `--server-secret` says otherwise. It is public: it opens nothing but an emulator, whose
 * lists are made up. It is fixed so that settings can be written down before the emulator runs.
 */
export const defaultServerSecret = "emulator-only-not-a-real-secret"

const defaults = { port: 9460, users: 40, seed: "zim" }

interface Flags {
  readonly port: number
  readonly world: Option.Option<string>
  readonly users: Option.Option<number>
  readonly seed: Option.Option<string>
  readonly appId: Option.Option<number>
  readonly serverSecret: Option.Option<Redacted.Redacted>
}

const usage = (problem: string, advice: string) => new CommandFailed({ problem, advice, exit: "Usage" })

const whyUnreadable = (error: PlatformError.PlatformError): string => {
  switch (error.reason._tag) {
    case "NotFound":
      return "there is no such file"
    case "PermissionDenied":
      return "permission denied"
    default:
      return "it is not a readable file"
  }
}

const readWorld = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    fs.readFileString(path),
    (error) =>
      new CommandFailed({
        problem: `cannot read the world file ${path}: ${whyUnreadable(error)}`,
        advice: "Check the path, or leave --world out to generate a world.",
        exit: "Failure"
      })
  )
  return yield* Effect.mapError(
    World.parse(text),
    (error) =>
      new CommandFailed({
        problem: `the world file ${path} cannot be used: ${error.problem}`,
        advice:
          'Correct the file. It looks like {"apps":[{"appId":1,"serverSecret":"s"}],"users":[{"userId":"u1","conversations":[]}]}',
        exit: "Failure"
      })
  )
})

const generateWorld = Effect.fnUntraced(function* (flags: Flags) {
  const secret = Option.match(flags.serverSecret, { onNone: () => defaultServerSecret, onSome: Redacted.value })
  return World.generate({
    users: Option.getOrElse(flags.users, () => defaults.users),
    seed: Option.getOrElse(flags.seed, () => defaults.seed),
    appId: Option.getOrElse(flags.appId, () => defaultAppId),
    serverSecret: yield* Effect.mapError(Schema.decodeEffect(ServerSecret.ServerSecret)(secret), (error) =>
      usage(`--server-secret: ${error.message}`, "Give it as it is: without spaces around it, and not empty.")
    )
  })
})

const worldOf = (flags: Flags) => {
  if (Option.isNone(flags.world)) return generateWorld(flags)
  const clash = (["users", "seed", "appId", "serverSecret"] as const).find((flag) => flags[flag]._tag === "Some")
  return clash === undefined
    ? readWorld(flags.world.value)
    : Effect.fail(
        usage(
          `--world and --${clash.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} exclude each other`,
          "A world file has its own apps and users: leave one of the two flags out."
        )
      )
}

const cannotListen = (port: number, cause: unknown): CommandFailed => {
  const code = Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : undefined
  return new CommandFailed({
    problem:
      code === "EADDRINUSE"
        ? `port ${port} is in use by another program`
        : `cannot listen on port ${port}: ${code ?? "the system refused"}`,
    advice: "Choose another port with --port, or a free one with --port 0.",
    exit: "Failure"
  })
}

/** What a person needs to go on in another terminal. */
const nextSteps = (url: string, world: World.World, secret: string): string => {
  const user = world.users.find(({ conversations }) => conversations.length > 0)?.userId ?? "user-1"
  return [
    "",
    "The emulator is running; Ctrl+C stops it. In another terminal:",
    `  export ZIM_APP_ID=${world.apps[0]?.appId ?? defaultAppId} ZIM_SERVER_SECRET=${secret} ZIM_BASE_URL=${url}`,
    `  zim conversations list ${user}`
  ].join("\n")
}

/**
 * The command.
 */
export const start = Command.make(
  "start",
  {
    port: Flag.Int("port").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription(`Port on 127.0.0.1; 0 takes a free one; default ${defaults.port}`),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
      Flag.withDefault(defaults.port)
    ),
    world: Flag.String("world").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("A world file: apps, users and their conversations"),
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
    )
  },
  Effect.fnUntraced(function* (flags) {
    MutableRef.set(yield* ExitCode.WhenInterrupted, ExitCode.table.Ok.code)
    const stdio = yield* Stdio.Stdio
    const world = yield* worldOf(flags)
    const { url } = yield* Layer.build(
      EmulatorServer.layer({ port: flags.port }).pipe(Layer.provide(Emulator.layer({ world })))
    ).pipe(
      Effect.map((context) => Context.get(context, EmulatorServer.EmulatorServer)),
      Effect.catchTags({
        ServeError: (error) => Effect.fail(cannotListen(flags.port, error.cause)),
        HostNotLoopback: (error) => Effect.die(error)
      })
    )
    // A secret that somebody chose is theirs: only the public one is shown.
    const isPublic = Option.isNone(flags.world) && Option.isNone(flags.serverSecret)
    yield* Output.printLines([
      JSON.stringify({
        url,
        appId: world.apps[0]?.appId,
        ...(isPublic ? { serverSecret: defaultServerSecret } : {}),
        users: world.users.length,
        conversations: world.users.reduce((sum, user) => sum + user.conversations.length, 0)
      })
    ])
    if (yield* stdio.stdoutIsTerminal) {
      yield* Console.error(nextSteps(url, world, isPublic ? defaultServerSecret : "..."))
    }
    return yield* Effect.never
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Serve the API on a loopback port: strict, with made-up lists, 20 calls a second. Prints one line of JSON when it is " +
      "ready and runs until Ctrl+C or SIGTERM, which end it with exit code 0."
  ),
  Command.withShortDescription("Serve the API on a loopback port"),
  Command.withExamples([
    { command: "zim emulator start", description: "A generated world; its settings are printed" },
    { command: "zim emulator start --users 500 --seed 7 --port 0", description: "Another one, on a free port" },
    { command: "zim emulator start --world world.json", description: "Your own apps, users and conversations" }
  ])
)
