/**
 * The flags of `zim emulator start`, and what it makes an emulator of by them.
 */
import { FaultJson, ServiceQuota, World, WorldFolder } from "@effect-zim/emulator"
import type { Fault } from "@effect-zim/emulator"
import { AppId } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import type * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { CommandFailed, whyUnreadable } from "../ErrorReport.ts"
import { finiteDuration, path, positiveDuration } from "./flags.ts"

/** The app of a generated world. */
export const defaultAppId = 12345

/** The secret of that app: public, it opens nothing but an emulator. */
export const defaultServerSecret = "emulator-only-not-a-real-secret"

const defaults = { port: 9460, users: 40, seed: "zim" }

// ---- the flags ----

export const highestPort = 65_535
const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: highestPort }))

interface Limits {
  readonly limit: number | undefined
  readonly window: Duration.Duration | undefined
}

const models = {
  sliding: ServiceQuota.sliding,
  "sliding-counting-rejections": (limits) => ServiceQuota.sliding({ ...limits, countRejected: true }),
  fixed: ServiceQuota.fixed,
  "fixed-unaligned": (limits) => ServiceQuota.fixed({ ...limits, aligned: false }),
  "token-bucket": ServiceQuota.tokenBucket,
  leaky: ServiceQuota.leaky,
  "leaky-queue": (limits) => ServiceQuota.leaky({ ...limits, queue: limits.limit ?? 20 }),
  unlimited: () => ServiceQuota.unlimited
} satisfies Record<string, (limits: Limits) => ServiceQuota.ServiceQuota>

export const flags = {
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
  quotaModel: Flag.Literals("quota-model", Struct.keys(models)).pipe(
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
}

export type Flags = Command.Command.Config.Infer<typeof flags>

// ---- the world ----

const usage = (problem: string, advice: string) => new CommandFailed({ problem, advice, exit: "Usage" })

const cannotRead = (path: string) => (error: PlatformError.PlatformError) =>
  new CommandFailed({
    problem: `cannot read the world file ${path}: ${whyUnreadable(error)}`,
    advice: "Check the path, or leave --world out to generate a world.",
    exit: "Failure"
  })

const cannotUse = (what: string, advice: string) => (error: World.WorldUnreadable) =>
  new CommandFailed({ problem: `${what} cannot be used: ${error.problem}`, advice, exit: "Failure" })

const readFile = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(fs.readFileString(path), cannotRead(path))
  const advice =
    'Correct the file. It looks like {"apps":[{"appId":1,"serverSecret":"s"}],"users":[{"userId":"u1","conversations":[]}]}'
  return yield* Effect.mapError(World.parse(text), cannotUse(`the world file ${path}`, advice))
})

const readFolder = (path: string) =>
  Effect.mapError(WorldFolder.load(path), (error) => {
    if (error._tag === "WorldUnreadable") {
      return cannotUse(`the world folder ${path}`, "Correct the file, or save the folder again.")(error)
    }
    return new CommandFailed({
      problem:
        error.reason._tag === "NotFound"
          ? `${path} is a folder without a world: it has no world.json, apps.json or users`
          : `cannot read the world folder ${path}: ${whyUnreadable(error)}`,
      advice: "Check the path, or leave --world out to generate a world.",
      exit: "Failure"
    })
  })

const readWorld = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(fs.stat(path), cannotRead(path))
  return yield* type === "Directory" ? readFolder(path) : readFile(path)
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

/** The world that the flags ask for. */
export const worldOf = Effect.fnUntraced(function* (flags: Flags) {
  if (Option.isNone(flags.world)) return yield* generateWorld(flags)
  const clash = (["users", "seed", "appId", "serverSecret"] as const).find((flag) =>
    Option.isSome<unknown>(flags[flag])
  )
  if (clash === undefined) return yield* readWorld(flags.world.value)
  const name = clash.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return yield* usage(
    `--world and --${name} exclude each other`,
    "A world file has its own apps and users: leave one of the two flags out."
  )
})

// ---- the quota and the faults ----

/** The quota that the flags ask for. */
export const quotaOf = Effect.fnUntraced(function* (flags: Flags) {
  const limits = { limit: Option.getOrUndefined(flags.limit), window: Option.getOrUndefined(flags.window) }
  if (flags.quotaModel === "unlimited" && (limits.limit !== undefined || limits.window !== undefined)) {
    return yield* usage("an unlimited quota has no --limit and no --window", "Leave them out, or choose another model.")
  }
  return models[flags.quotaModel](limits)
})

const looksLikeJson = /^\s*[[{]/

/** The faults of `--faults`: JSON as it is, or a file of it. */
export const faultsOf = Effect.fnUntraced(function* (
  given: Option.Option<string>
): Effect.fn.Return<ReadonlyArray<Fault.Fault>, CommandFailed, FileSystem.FileSystem> {
  if (Option.isNone(given)) return []
  const text = looksLikeJson.test(given.value)
    ? given.value
    : yield* Effect.mapError(
        (yield* FileSystem.FileSystem).readFileString(given.value),
        (error) =>
          new CommandFailed({
            problem: `cannot read the faults file ${given.value}: ${whyUnreadable(error)}`,
            advice: `Check the path, or give JSON: --faults '[{"type":"returnCode","code":1,"when":[{"every":7}]}]'`,
            exit: "Failure"
          })
      )
  return yield* Effect.mapError(FaultJson.parse(text), (error) =>
    usage(
      `--faults: ${error.problem}`,
      `Faults look like [{"type":"returnCode","code":1,"when":[{"every":7}]}]; the emulator's README lists them.`
    )
  )
})
