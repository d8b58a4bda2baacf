/**
 * A world as a folder: for snapshots that are kept, compared and edited, and for worlds too large for one file.
 *
 * ```text
 * snapshot/
 *   world.json          {"format":"effect-zim-world","version":1,"disbanded":["group-7"]}
 *   apps.json           [{"appId":12345,"serverSecret":"..."}]
 *   users/00000.ndjson  {"userId":"user-1","conversations":[...]}, one user a line, 1000 users a file
 * ```
 *
 * Apps and users look as in a world file. `apps.json` holds secrets: only its owner may read it.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as World from "./World.ts"

/** How many users are in a file. */
const usersPerFile = 1000

const Manifest = Schema.Struct({
  format: Schema.Literal("effect-zim-world"),
  version: Schema.Literal(1),
  disbanded: Schema.optionalKey(Schema.Array(Schema.String))
})

/**
 * The folder is there and holds something else: it is not written to.
 *
 * @category errors
 * @since 0.1.0
 */
export class FolderOccupied extends Schema.TaggedError<FolderOccupied>("@effect-zim/emulator/FolderOccupied")(
  "FolderOccupied",
  { directory: Schema.String }
) {
  override get message(): string {
    return `${this.directory} is there and holds something else than a world: choose another folder, or an empty one`
  }
}

const unreadable = (file: string, problem: string): World.WorldUnreadable =>
  new World.WorldUnreadable({ problem: `${file}: ${problem}` })

const encodeApps = Schema.encodeSync(Schema.fromJsonString(Schema.Array(World.App)))
const encodeUser = Schema.encodeSync(Schema.fromJsonString(World.User))

const write = Effect.fnUntraced(function* (world: World.World, directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const manifest = { format: "effect-zim-world", version: 1, disbanded: world.disbanded ?? [] }
  yield* fs.writeFileString(path.join(directory, "world.json"), `${JSON.stringify(manifest)}\n`)
  yield* fs.writeFileString(path.join(directory, "apps.json"), `${encodeApps(world.apps)}\n`, { mode: 0o600 })
  yield* fs.makeDirectory(path.join(directory, "users"))
  for (let first = 0; first < world.users.length; first += usersPerFile) {
    const name = `${String(first / usersPerFile).padStart(5, "0")}.ndjson`
    const lines = world.users.slice(first, first + usersPerFile).map((user) => `${encodeUser(user)}\n`)
    yield* fs.writeFileString(path.join(directory, "users", name), lines.join(""))
  }
})

const ours: ReadonlySet<string> = new Set(["world.json", "apps.json", "users"])
const readManifest = Schema.decodeOption(Schema.fromJsonString(Manifest))

/** Whether a folder may be replaced: it is empty, or holds a world and nothing beside it. */
const isOurs = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(directory)
  if (names.length === 0) return true
  if (!names.includes("world.json") || names.some((name) => !ours.has(name))) return false
  // The name alone says little: a world in one file may have it.
  return Option.isSome(readManifest(yield* fs.readFileString(path.join(directory, "world.json"))))
})

/**
 * Saves a world. A folder that holds one, and nothing beside it, is replaced as a whole, after the new one is complete;
 * fails with {@link FolderOccupied} where it holds something else.
 *
 * @example
 * ```ts
 * import { Emulator, WorldFolder } from "@effect-zim/emulator"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* Emulator.Emulator
 *   yield* WorldFolder.save(yield* emulator.world.get, "snapshots/before-the-migration")
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const save: (
  world: World.World,
  directory: string
) => Effect.Effect<void, FolderOccupied | PlatformError, FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(
  function* (world, directory) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const target = path.resolve(directory)
    const exists = yield* fs.exists(target)
    if (exists && !(yield* isOurs(target))) return yield* new FolderOccupied({ directory })
    yield* fs.makeDirectory(path.dirname(target), { recursive: true })
    // Beside it, so that moving it is one step on the same disk.
    const fresh = yield* fs.makeTempDirectory({ directory: path.dirname(target), prefix: `.${path.basename(target)}-` })
    const before = `${fresh}.old`
    const swap = exists
      ? Effect.andThen(
          fs.rename(target, before),
          Effect.onError(fs.rename(fresh, target), () => Effect.ignore(fs.rename(before, target)))
        )
      : fs.rename(fresh, target)
    yield* Effect.andThen(write(world, fresh), swap).pipe(
      Effect.ensuring(
        Effect.forEach([fresh, before], (rest) => Effect.ignore(fs.remove(rest, { recursive: true, force: true })))
      ),
      Effect.uninterruptible
    )
  }
)

const decodeManifest = Schema.decodeUnknownEffect(Manifest)
const decodeApps = Schema.decodeUnknownEffect(World.World.fields.apps)
const decodeUser = Schema.decodeUnknownEffect(World.User)
const check = Schema.decodeUnknownEffect(Schema.toType(World.World))

/** Reads JSON. A syntax error's own message quotes the text, which may be a secret. */
const read = <A>(place: string, text: string, decode: (json: unknown) => Effect.Effect<A, Schema.SchemaError>) =>
  Effect.try({ try: (): unknown => JSON.parse(text), catch: () => unreadable(place, "it is not valid JSON") }).pipe(
    Effect.flatMap((json) => Effect.mapError(decode(json), (error) => unreadable(place, error.message)))
  )

/**
 * Loads a world. Fails with `WorldUnreadable`, which names file, line and key, or with what the file system says.
 *
 * @example
 * ```ts
 * import { Emulator, WorldFolder } from "@effect-zim/emulator"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* Emulator.Emulator
 *   yield* emulator.world.set(yield* WorldFolder.load("snapshots/before-the-migration"))
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const load: (
  directory: string
) => Effect.Effect<World.World, World.WorldUnreadable | PlatformError, FileSystem.FileSystem | Path.Path> =
  Effect.fnUntraced(function* (directory) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const textOf = (file: string) => fs.readFileString(path.join(directory, file))
    const { disbanded } = yield* read("world.json", yield* textOf("world.json"), decodeManifest)
    const apps = yield* read("apps.json", yield* textOf("apps.json"), decodeApps)
    const names = (yield* fs.readDirectory(path.join(directory, "users"))).filter((name) => name.endsWith(".ndjson"))
    const users: Array<World.User> = []
    for (const name of names.toSorted()) {
      const lines = (yield* textOf(path.join("users", name))).split("\n")
      for (const [index, line] of lines.entries()) {
        if (line.trim() === "") continue
        users.push(yield* read(`users/${name}, line ${index + 1}`, line, decodeUser))
      }
    }
    const world = { apps, users, ...(disbanded !== undefined && { disbanded }) }
    // What no line can tell by itself: that a user occurs once.
    return yield* Effect.mapError(check(world), (error) => unreadable("users", error.message))
  })
