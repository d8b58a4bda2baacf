/**
 * A project outside of the workspace that uses the packed packages as a user's project would.
 */
import { Effect, FileSystem } from "effect"
import * as Command from "./Command.ts"
import { devDependencies } from "./devDependencies.ts"
import { CheckFailed, unusable } from "./Step.ts"
import { overridesOf, type Tarball, tarballs } from "./Tarballs.ts"

/** What a user installs beside the packages, in the versions of the workspace. */
const companions = ["effect", "@effect/platform-node", "@effect/sql-pg", "typescript", "@types/node"]

const compilerOptions = {
  target: "es2024",
  lib: ["es2024", "esnext.error", "dom", "dom.iterable"],
  module: "nodenext",
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false
}

/** Imports every entry point, tries every private path, and signs the vendor's published vector. */
const smokeTest = (tarballs: ReadonlyArray<Tarball>): string => {
  const entryPoints = tarballs.flatMap((tarball) => tarball.entryPoints)
  const privatePaths = tarballs.flatMap((tarball) => tarball.privatePaths)
  return `import * as assert from "node:assert/strict"
import { ServerSecret, Signature } from "@effect-zim/signing"
${entryPoints.map((entryPoint, index) => `import * as module${index} from ${JSON.stringify(entryPoint)}`).join("\n")}

const modules = { ${entryPoints.map((entryPoint, index) => `${JSON.stringify(entryPoint)}: module${index}`).join(", ")} }
for (const [name, module] of Object.entries(modules)) assert.ok(Object.keys(module).length > 0, name + " exports nothing")

for (const path of ${JSON.stringify(privatePaths)}) {
  await assert.rejects(import(path), { code: /ERR_(PACKAGE_PATH_NOT_EXPORTED|MODULE_NOT_FOUND)/ }, path + " can be imported")
}

const signature = Signature.compute({
  appId: 12345,
  nonce: "4fd24687296dd9f3",
  serverSecret: ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38"),
  timestamp: 1615186943
})
assert.equal(signature, "43e5cfcca828314675f91b001390566a")
`
}

/** Prints the names that each entry point exports. */
const exportedNames = (tarballs: ReadonlyArray<Tarball>): string => `
for (const name of ${JSON.stringify(tarballs.flatMap((tarball) => tarball.entryPoints))}) {
  console.log(name, Object.keys(await import(name)).toSorted().join())
}
`

/** Prints which files of the packages Node loads for the client. */
const loadedFiles = `import { registerHooks } from "node:module"
registerHooks({
  load: (url, context, next) => {
    const file = /node_modules\\/@effect-zim\\/((?:client|policies|protocol)\\/.*)/.exec(url)
    if (file !== null) console.log(file[1])
    return next(url, context)
  }
})
await import("@effect-zim/client")
`

/** What they should be, whatever the packages are made of: see decision 24. */
const filesOfClient = ["client", "policies", "protocol"].flatMap((name) =>
  ["index.js", "internal/all.js"].map((file) => `${name}/dist/${file}`)
)

const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const cwd = yield* fs.makeTempDirectoryScoped({ prefix: "effect-zim-install-" })
  const versions = yield* devDependencies("package.json")
  const packed = overridesOf(yield* tarballs)
  const others = Object.fromEntries(companions.map((name) => [name, versions[name] ?? "*"]))
  const files = {
    "package.json": {
      name: "uses-effect-zim",
      private: true,
      type: "module",
      dependencies: { ...packed, ...others }
    },
    "pnpm-workspace.yaml": { packages: ["."], overrides: packed },
    "tsconfig.json": { compilerOptions, include: ["smoke.ts"] }
  }
  yield* Effect.forEach(Object.entries(files), ([name, content]) =>
    fs.writeFileString(`${cwd}/${name}`, JSON.stringify(content, null, 2))
  )
  yield* Command.pnpm(["install", "--prefer-offline", "--no-frozen-lockfile"], { cwd })
  return cwd
}).pipe(Effect.catchTag("PlatformError", unusable))

/** The folder of the project: installed once, however many steps use it, and gone with the program. */
export const project = Effect.runSync(Effect.cached(make))

/** Compiles and runs; returns a few words on what was done. */
export const check = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const all = yield* tarballs
  const cwd = yield* project
  yield* fs.writeFileString(`${cwd}/smoke.ts`, smokeTest(all))
  yield* fs.writeFileString(`${cwd}/loaded.mjs`, loadedFiles)

  yield* Command.succeed(`${cwd}/node_modules/.bin/tsc`, ["-p", cwd], { cwd })
  yield* Command.succeed("node", ["smoke.ts"], { cwd })
  const loaded = (yield* Command.succeed("node", ["loaded.mjs"], { cwd })).trim().split("\n").toSorted()
  if (loaded.join() !== filesOfClient.join()) {
    return yield* new CheckFailed({ output: `the client is ${loaded.join(", ")}, not ${filesOfClient.join(", ")}` })
  }
  const program = ["--input-type=module", "--eval", exportedNames(all)]
  const installed = yield* Command.succeed("node", program, { cwd })
  const written = yield* Command.succeed("node", ["--conditions=@effect-zim/source", ...program])
  if (installed !== written) {
    return yield* new CheckFailed({ output: `exported:\n${installed}\nby the sources:\n${written}` })
  }
  return `${all.flatMap((tarball) => tarball.entryPoints).length} entry points`
}).pipe(Effect.catchTag("PlatformError", unusable))
