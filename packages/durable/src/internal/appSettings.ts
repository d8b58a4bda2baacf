/** The settings of several apps: each is a set of those of a client, by their names. */
import { type ClientError, ZimClient } from "@effect-zim/client"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * An app and its settings, by the name that somebody has given it there.
 *
 * @category models
 * @since 0.1.0
 */
export interface App {
  readonly name: string
  readonly settings: ZimClient.Settings
}

/**
 * Settings of an app that cannot be: which app, which setting, and what is wrong. A value is never shown.
 *
 * @category errors
 * @since 0.1.0
 */
export class AppInvalid extends Schema.TaggedError<AppInvalid>("@effect-zim/durable/AppInvalid")("AppInvalid", {
  app: Schema.String,
  setting: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `the app ${this.app}: ${this.setting}: ${this.problem}`
  }
}

/**
 * The file with the settings of apps cannot be read, or is no JSON of that shape.
 *
 * @category errors
 * @since 0.1.0
 */
export class AppsUnreadable extends Schema.TaggedError<AppsUnreadable>("@effect-zim/durable/AppsUnreadable")(
  "AppsUnreadable",
  { path: Schema.String, problem: Schema.String }
) {
  override get message(): string {
    return `cannot use the apps in ${this.path}: ${this.problem}`
  }
}

/** The settings of an app as somebody has written them. */
type Entry = Readonly<Record<string, string | number | ReadonlyArray<string>>>

/** What each setting is called there, where that is not its own name. */
type Naming = (app: string, setting: string) => string

const ownName: Naming = (_app, setting) => setting

const prefix = "ZIM_APPS_"

const prefixed: Naming = (app, setting) => setting.replace(/^ZIM_/, `${prefix}${app}_`)

/** Reads the settings of one app, and finds what is none. */
const appOf = Effect.fnUntraced(function* (name: string, entry: Entry, naming: Naming) {
  const invalid = (setting: string, problem: string) =>
    new AppInvalid({ app: name, setting: naming(name, setting), problem })
  const provider = ConfigProvider.fromUnknown(entry)
  const asked = new Set<string>()
  const noting = ConfigProvider.make((path) => {
    asked.add(path.join("_"))
    return provider.load(path)
  })
  const settings = yield* ZimClient.readSettings().pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, noting),
    Effect.mapError(({ problem, setting }) => invalid(setting, problem))
  )
  const stray = Object.keys(entry).find((key) => !asked.has(key))
  if (stray !== undefined) return yield* invalid(stray, "it is no setting of a client")
  return { name, settings }
})

const appsOf = Effect.fnUntraced(function* (
  entries: Readonly<Record<string, Entry>>,
  naming: Naming
): Effect.fn.Return<ReadonlyArray<App>, AppInvalid> {
  const apps = yield* Effect.forEach(Object.entries(entries), ([name, entry]) => appOf(name, entry, naming))
  const names = new Map<number, string>()
  for (const { name, settings } of apps) {
    const { appId } = settings.client
    const other = names.get(appId)
    if (other !== undefined) {
      const setting = naming(name, "ZIM_APP_ID")
      return yield* new AppInvalid({ app: name, setting, problem: `it is that of ${other}, too` })
    }
    names.set(appId, name)
  }
  return apps
})

const Value = Schema.Union([Schema.String, Schema.Number, Schema.Array(Schema.String)])
const decodeEntries = Schema.decodeUnknownOption(Schema.Record(Schema.String, Schema.Record(Schema.String, Value)))

/** Whoever has an account on the machine. */
const others = 0o004

/**
 * Reads apps from a file: an object with one for each app by a name of your choice, which has settings of `ZimClient` by the
 * names that they have in the environment. One file for all of an app's workers: they must have the same quota.
 *
 * ```json
 * {
 *   "acme": { "ZIM_APP_ID": 1234567890, "ZIM_SERVER_SECRET": "...", "ZIM_REGION": "fra" },
 *   "beta": { "ZIM_APP_ID": 1234567891, "ZIM_SERVER_SECRET": "...", "ZIM_QUOTA_LIMIT": 50 }
 * }
 * ```
 *
 * What is no setting is an error, as are two entries of the same AppID. If all users of the machine may read the file, it logs a
 * warning: there are secrets in it.
 *
 * @example
 * ```ts
 * import { Apps } from "@effect-zim/durable"
 * import { Effect } from "effect"
 *
 * const appIds = Effect.map(Apps.readFile("apps.json"), (apps) => apps.map(({ settings }) => settings.client.appId))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const readFile = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<ReadonlyArray<App>, AppInvalid | AppsUnreadable, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const unusable = (problem: string) => new AppsUnreadable({ path, problem })
  const { mode, text } = yield* Effect.all({
    mode: Effect.map(fs.stat(path), ({ mode }) => mode),
    text: fs.readFileString(path)
  }).pipe(
    Effect.mapError(({ reason }) =>
      unusable(reason._tag === "NotFound" ? "there is no such file" : "it cannot be read")
    )
  )
  if ((mode & others) !== 0) {
    yield* Effect.logWarning(`all users of this machine may read ${path}, which has secrets: chmod o= ${path}`)
  }
  // What the engine says of it shows a part of it.
  const json = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => unusable("it is not valid JSON")
  })
  const entries = decodeEntries(json)
  if (Option.isNone(entries)) {
    return yield* unusable(
      "it must be an object with an object of settings for each app, each of them a text or a number"
    )
  }
  if (Object.keys(entries.value).length === 0) return yield* unusable("there is no app in it")
  return yield* appsOf(entries.value, ownName)
})

const load = (path: ReadonlyArray<string>) =>
  Effect.flatMap(ConfigProvider.ConfigProvider, (provider) => Effect.orDie(provider.load(path)))

/** All that is below a name of the environment, by what follows it. */
const below = Effect.fnUntraced(function* (
  path: ReadonlyArray<string>
): Effect.fn.Return<ReadonlyArray<readonly [string, string]>> {
  const node = yield* load(path)
  // A name with nothing after it is there, and has no node.
  const own = node === undefined ? [["", ""] as const] : node.value === undefined ? [] : [["", node.value] as const]
  if (node?._tag !== "Record") return own
  const children = yield* Effect.forEach(node.keys, (key) =>
    Effect.map(below([...path, key]), (found) => found.map(([rest, value]) => [`_${key}${rest}`, value] as const))
  )
  return [...own, ...children.flat()]
})

const misnamed = (app: string) =>
  new AppInvalid({ app, setting: `${prefix}${app}`, problem: "a name is letters and digits, and begins with a letter" })

/** The apps that are named by variables of the environment. */
const entriesInEnvironment = Effect.gen(function* () {
  const root = yield* load(["ZIM", "APPS"])
  // That is what a provider makes of names that are numbers only.
  if (root?._tag === "Array") return yield* misnamed(String(root.length - 1))
  if (root?._tag !== "Record") return {}
  const unusable = Array.from(root.keys).find((name) => !/^[a-z][a-z\d]*$/i.test(name))
  if (unusable !== undefined) return yield* misnamed(unusable)
  const apps = yield* Effect.forEach(root.keys, (name) =>
    Effect.map(below(["ZIM", "APPS", name]), (found) => {
      const entry = Object.fromEntries(
        found.filter(([rest]) => rest !== "").map(([rest, value]) => [`ZIM${rest}`, value])
      )
      return [name, entry] as const
    })
  )
  return Object.fromEntries(apps.filter(([, entry]) => Object.keys(entry).length > 0))
})

/**
 * Reads apps from the `ConfigProvider`, which is the environment unless another one is provided. The first of these that is
 * there:
 *
 * 1. `ZIM_APPS_FILE`: the path of a file for {@link readFile}.
 * 2. `ZIM_APPS_ACME_APP_ID`, `ZIM_APPS_ACME_SERVER_SECRET`, `ZIM_APPS_ACME_QUOTA_LIMIT` and so on: an app named `ACME`, with
 *    every setting of a client. A name is letters and digits.
 * 3. `ZIM_APP_ID`, `ZIM_SERVER_SECRET` and so on: one app.
 *
 * @example
 * ```ts
 * import { Apps } from "@effect-zim/durable"
 * import { Effect } from "effect"
 *
 * const names = Effect.map(Apps.readConfig, (apps) => apps.map(({ name }) => name))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const readConfig = Effect.gen(function* (): Effect.fn.Return<
  ReadonlyArray<App>,
  AppInvalid | AppsUnreadable | ClientError.SettingsInvalid,
  FileSystem.FileSystem
> {
  const file = yield* Effect.orDie(Config.option(Config.String("ZIM_APPS_FILE")))
  if (Option.isSome(file)) return yield* readFile(file.value)
  const entries = yield* entriesInEnvironment
  if (Object.keys(entries).length > 0) return yield* appsOf(entries, prefixed)
  const settings = yield* ZimClient.readSettings()
  return [{ name: String(settings.client.appId), settings }]
})
