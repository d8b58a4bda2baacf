import { World, WorldFolder } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { secret } from "./support.ts"

const encode = Schema.encodeSync(World.World)
const inFolder = <A, E, R>(test: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* test(yield* fs.makeTempDirectoryScoped())
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("a world as a folder", () => {
  it.effect.prop(
    "comes back the same",
    { seed: Schema.Int, users: Schema.Literals([0, 1, 30, 1001]) },
    ({ seed, users }) =>
      inFolder(
        Effect.fnUntraced(function* (folder) {
          const world = World.generate({ seed, users })
          yield* WorldFolder.save(world, `${folder}/new/world`)
          assert.deepStrictEqual(encode(yield* WorldFolder.load(`${folder}/new/world`)), encode(world))
        })
      ),
    { arbitrary: { runs: 8 } }
  )

  it.effect("replaces the one before as a whole, and leaves nothing beside it", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        const fs = yield* FileSystem.FileSystem
        yield* WorldFolder.save(World.generate({ seed: 1, users: 1500 }), `${folder}/w`)
        assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/w/users`), ["00000.ndjson", "00001.ndjson"])
        const small = World.make({ apps: [{ appId: 1, serverSecret: secret }], users: [], disbanded: ["g"] })
        yield* WorldFolder.save(small, `${folder}/w`)
        assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/w/users`), [])
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["w"])
        assert.deepStrictEqual(encode(yield* WorldFolder.load(`${folder}/w`)), encode(small))
        assert.strictEqual((yield* fs.stat(`${folder}/w/apps.json`)).mode & 0o777, 0o600)
      })
    )
  )

  it.effect("does not overwrite anything else", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(`${folder}/precious.txt`, "x")
        const error = yield* Effect.flip(WorldFolder.save(World.generate({ seed: 1, users: 1 }), folder))
        assert.strictEqual(error._tag, "FolderOccupied")
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["precious.txt"])
      })
    )
  )

  it.effect("does not take a folder for a world because of a file's name, nor what lies beside a world", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        const fs = yield* FileSystem.FileSystem
        const world = World.generate({ seed: 1, users: 1 })
        yield* fs.makeDirectory(`${folder}/project`)
        // A world in one file, which may well have that name.
        yield* fs.writeFileString(`${folder}/project/world.json`, JSON.stringify(encode(world)))
        yield* WorldFolder.save(world, `${folder}/saved`)
        yield* fs.writeFileString(`${folder}/saved/notes.txt`, "precious")
        for (const directory of [`${folder}/project`, `${folder}/saved`]) {
          const before = yield* fs.readDirectory(directory)
          assert.strictEqual((yield* Effect.flip(WorldFolder.save(world, directory)))._tag, "FolderOccupied")
          assert.deepStrictEqual(yield* fs.readDirectory(directory), before)
        }
      })
    )
  )

  it.effect.each([
    ["world.json", "{", "world.json: it is not valid JSON"],
    ["world.json", `{"format":"effect-zim-world","version":2}`, `["version"]`],
    ["apps.json", `[{"appId":1,"serverSecret":["${secret}"]}]`, `["serverSecret"]`],
    ["apps.json", `["${secret}`, "apps.json: it is not valid JSON"],
    ["users/00000.ndjson", `{"userId":"a"}\n\n{"userId":"b","conversations":[{}]}`, "users/00000.ndjson, line 3"],
    ["users/00000.ndjson", `{"userId":"a"}\n{"userId":`, "users/00000.ndjson, line 2: it is not valid JSON"],
    ["users/00001.ndjson", `{"userId":"user-1"}`, "a user occurs once"]
  ] as const)("%s with %s: the error names the place and no secret", ([file, text, problem]) =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        const fs = yield* FileSystem.FileSystem
        yield* WorldFolder.save(World.generate({ seed: 1, users: 2 }), `${folder}/w`)
        yield* fs.writeFileString(`${folder}/w/${file}`, text)
        const error = yield* Effect.flip(WorldFolder.load(`${folder}/w`))
        assert.strictEqual(error._tag, "WorldUnreadable")
        assert.include(error.message, problem)
        assert.notInclude(error.message, secret)
      })
    )
  )

  it.effect("a folder that is not there is the file system's error", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(WorldFolder.load(`${folder}/nowhere`)))._tag, "PlatformError")
      })
    )
  )
})
