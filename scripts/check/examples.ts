/**
 * The projects of `examples/` as a user would have them: copied out of the repository, installed from the packed
 * packages, and run against an emulator of their own.
 */
import { Effect, FileSystem, Result, Schema, type Scope, SemVer, SemVerRange } from "effect"
import { randomBytes } from "node:crypto"
import { cp } from "node:fs/promises"
import { basename } from "node:path"
import * as PostgresServer from "../../packages/client/test/postgresServer.ts"
import * as Command from "./Command.ts"
import { devDependencies } from "./devDependencies.ts"
import * as EmulatorProcess from "./emulatorProcess.ts"
import * as Programs from "./Programs.ts"
import * as Step from "./Step.ts"
import { overridesOf, type Tarball } from "./Tarballs.ts"

const source = `${Command.root}/examples`

const Versions = Schema.Record(Schema.String, Schema.String)

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    description: Schema.String,
    scripts: Schema.Struct({ check: Schema.String }),
    dependencies: Versions,
    devDependencies: Schema.optionalKey(Versions)
  })
)

export interface Example {
  /** Its folder. */
  readonly name: string
  readonly description: string
  /** How it is run so that it ends by itself, with 0 if everything was as it should be. */
  readonly check: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly needsPostgres: boolean
}

const unreadable = (error: { readonly message: string }) =>
  new Step.CheckFailed({ output: `examples: ${error.message}` })

/** All of them, by name. */
export const all: Effect.Effect<ReadonlyArray<Example>, Step.CheckFailed, FileSystem.FileSystem> = Effect.gen(
  function* () {
    const fs = yield* FileSystem.FileSystem
    const files = yield* fs.glob("examples/*/package.json", { root: Command.root })
    return yield* Effect.forEach(files.toSorted(), (file) =>
      Effect.gen(function* () {
        const name = file.split("/")[1] ?? ""
        const manifest = yield* Schema.decodeEffect(Manifest)(yield* fs.readFileString(`${Command.root}/${file}`))
        const dependencies = { ...manifest.dependencies, ...manifest.devDependencies }
        const { description, scripts } = manifest
        return {
          name,
          description,
          check: scripts.check,
          dependencies,
          needsPostgres: "@effect/sql-pg" in dependencies
        }
      })
    )
  }
).pipe(Effect.mapError(unreadable))

/** What makes an example one that cannot be copied as it is, or is not found. */
export const problems = Effect.fnUntraced(function* (
  examples: ReadonlyArray<Example>,
  tarballs: ReadonlyArray<Tarball>
): Effect.fn.Return<ReadonlyArray<string>, Step.CheckFailed, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const read = (path: string) => Effect.mapError(fs.readFileString(`${Command.root}/${path}`), unreadable)
  const versions = yield* devDependencies("package.json")
  const contents = yield* read("examples/README.md")
  const tsconfig = yield* read(`examples/${examples[0]?.name ?? ""}/tsconfig.json`)

  const versionProblem = ([name, range]: readonly [string, string]): ReadonlyArray<string> => {
    const tarball = tarballs.find((one) => one.name === name)
    if (tarball === undefined) {
      const version = versions[name]
      return range === version ? [] : [`has ${name} ${range}, the repository ${version ?? "none"}`]
    }
    // Before the first release there is no version that it could name.
    const parsed = Result.all([SemVerRange.parse(range), SemVer.parse(tarball.version)])
    const fits = Result.match(parsed, {
      onFailure: () => false,
      onSuccess: ([range, version]) => SemVerRange.matches(range, version)
    })
    return fits || tarball.version === "0.0.0" ? [] : [`has ${name} ${range}, which is ${tarball.version} by now`]
  }
  const found = yield* Effect.forEach(examples, ({ dependencies, name }) =>
    Effect.gen(function* () {
      const readme = yield* read(`examples/${name}/README.md`)
      return [
        ...Object.entries(dependencies).flatMap(versionProblem),
        ...(readme.includes(`npm run example -- ${name}\n`) ? [] : ["README.md does not say how to run it"]),
        ...(contents.includes(`](${name}/README.md)`) ? [] : ["examples/README.md does not list it"]),
        ...((yield* read(`examples/${name}/tsconfig.json`)) === tsconfig
          ? []
          : ["tsconfig.json is not that of the others"])
      ].map((problem) => `examples/${name}: ${problem}`)
    })
  )
  return found.flat()
})

/** Why it cannot run on this machine. */
export const missing = ({ needsPostgres }: Example): string | undefined =>
  needsPostgres && !Programs.hasPostgres ? "initdb and postgres are not installed, or not in PATH" : undefined

const json = (value: unknown): string => JSON.stringify(value, null, 2)

/** One workspace of all: whatever they share is installed once. It is gone with the scope; returns its folder. */
export const install = Effect.fnUntraced(function* (
  examples: ReadonlyArray<Example>,
  tarballs: ReadonlyArray<Tarball>
): Effect.fn.Return<string, Step.CheckFailed, Step.Requirements | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const packed = overridesOf(tarballs)
  const folder = yield* Effect.gen(function* () {
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-zim-examples-" })
    for (const { name } of examples) {
      yield* Effect.promise(() =>
        cp(`${source}/${name}`, `${folder}/${name}`, {
          recursive: true,
          filter: (path) => basename(path) !== "node_modules"
        })
      )
    }
    // With the emulator that they run against, and the types that they compile with.
    const dependencies = {
      "@effect-zim/cli": packed["@effect-zim/cli"],
      "@types/node": examples[0]?.dependencies["@types/node"]
    }
    yield* fs.writeFileString(`${folder}/package.json`, json({ private: true, type: "module", dependencies }))
    const workspace = { packages: ["*"], overrides: packed, allowBuilds: { esbuild: false, workerd: false } }
    yield* fs.writeFileString(`${folder}/pnpm-workspace.yaml`, json(workspace))
    return folder
  }).pipe(Effect.mapError(unreadable))
  yield* Command.pnpm(["install", "--prefer-offline", "--no-frozen-lockfile"], { cwd: folder })
  return folder
})

/** Compiles them, as one program. */
export const compile = Effect.fnUntraced(function* (
  examples: ReadonlyArray<Example>,
  folder: string
): Effect.fn.Return<void, Step.CheckFailed, Step.Requirements> {
  const fs = yield* FileSystem.FileSystem
  const [first] = examples
  const options = { extends: `./${first?.name ?? ""}/tsconfig.json`, include: ["*/src", "*/test", "*/*.ts"] }
  yield* Effect.mapError(fs.writeFileString(`${folder}/tsconfig.json`, json(options)), unreadable)
  yield* Command.succeed("tsc", ["-p", folder], { cwd: folder })
})

/** Runs one of an installed workspace; fails if it does, or if it prints the secret. */
export const run = Effect.fnUntraced(function* (
  example: Example,
  folder: string,
  output?: Command.Options["output"]
): Effect.fn.Return<string, Step.CheckFailed, Step.Requirements | Scope.Scope> {
  const { check, name, needsPostgres } = example
  const serverSecret = randomBytes(16).toString("hex")
  const zim = [process.execPath, `${folder}/node_modules/@effect-zim/cli/dist/bin.js`] as const
  const world = ["--users", "20", "--seed", "1", "--app-id", "12345", "--server-secret", serverSecret]
  const { adminUrl, url } = yield* EmulatorProcess.start(zim, world).pipe(
    Effect.catchTag("PlatformError", Step.unusable)
  )
  const env = {
    PATH: `${folder}/${name}/node_modules/.bin:${Command.path}`,
    // Most of their time goes into loading the same modules.
    NODE_COMPILE_CACHE: `${folder}/.cache`,
    ZIM_APP_ID: "12345",
    ZIM_SERVER_SECRET: serverSecret,
    ZIM_BASE_URL: url,
    EMULATOR_ADMIN_URL: adminUrl,
    ...(needsPostgres && { DATABASE_URL: yield* Effect.mapError(PostgresServer.make, Step.unusable) })
  }
  const result = yield* Command.run("sh", ["-c", check], {
    cwd: `${folder}/${name}`,
    env,
    timeout: "2 minutes",
    ...(output !== undefined && { output })
  })
  const broken = (problem: string) => {
    const printed = result.output.replaceAll(serverSecret, "<secret>").trimEnd()
    return new Step.CheckFailed({ output: `examples/${name}: ${problem}\n${printed}`.trimEnd() })
  }
  if (result.output.includes(serverSecret)) return yield* broken("printed the server secret")
  if (result.code !== 0) return yield* broken(`ended with exit code ${result.code}`)
  return result.output
}, Effect.scoped)
