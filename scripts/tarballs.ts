/**
 * `npm run tarballs -- FOLDER`: builds and packs the packages into a folder, for a project that tries them before they are
 * published, and says how to install them there.
 */
import { Console, Effect, FileSystem, Path } from "effect"
import { runScript } from "./check/runScript.ts"
import { CheckFailed, unusable } from "./check/Step.ts"
import { tarballs } from "./check/Tarballs.ts"

const program = Effect.gen(function* () {
  const [given] = process.argv.slice(2)
  if (given === undefined) return yield* new CheckFailed({ output: "Where to? npm run tarballs -- FOLDER" })
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.resolve(given)
  yield* Console.log("Building and packing, which takes a minute ...")
  const all = yield* tarballs
  yield* fs.makeDirectory(folder, { recursive: true })
  const files = yield* Effect.forEach(all, ({ file, name }) => {
    const target = path.join(folder, path.basename(file))
    return Effect.as(fs.copyFile(file, target), [name, `file:${target}`] as const)
  })
  const dependencies = Object.fromEntries(files)
  // They need each other by version, and these versions are nowhere else.
  const manifest = JSON.stringify({ dependencies, overrides: dependencies }, null, 2)
  yield* Console.log(
    `${all.length} packages are in ${folder}. In a project of your own:\n\n` +
      `  npm install ${folder}/*.tgz effect @effect/platform-node\n\n` +
      "Others than npm look for those that a package needs in a registry, unless package.json says where they are " +
      `(pnpm: overrides belong into pnpm-workspace.yaml):\n\n${manifest}`
  )
}).pipe(Effect.catchTag("PlatformError", unusable))

runScript(program)
