/**
 * The steps that look at the sources as they are: format, lint, types, the Effect language service, and hygiene.
 */
import { readConfig } from "@changesets/config"
import { readChangesets } from "@changesets/read"
import { Effect, FileSystem, Schema } from "effect"
import * as Command from "./Command.ts"
import * as Step from "./Step.ts"
import { publicManifests } from "./Tarballs.ts"

const format = Step.make(
  "format",
  "oxfmt finds nothing to change",
  Effect.as(Command.succeed("oxfmt", ["--check", "."]), "")
)

const lint = Step.make(
  "lint",
  "oxlint with type-aware rules, no warnings",
  Effect.as(Command.succeed("oxlint", ["--type-aware", "--deny-warnings"]), "")
)

const References = Schema.fromJsonString(
  Schema.Struct({ references: Schema.Array(Schema.Struct({ path: Schema.String })) })
)

const types = Step.make(
  "types",
  "sources, tests and type tests compile",
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* fs.readFileString(`${Command.root}/tsconfig.json`)
    const { references } = yield* Schema.decodeEffect(References)(root)
    const listed = new Set(references.map(({ path }) => (path.endsWith(".json") ? path : `${path}/tsconfig.json`)))
    const projects = yield* fs.glob("packages/*/tsconfig*.json", { root: Command.root })
    const missing = projects.filter((project) => !listed.has(project))
    if (missing.length > 0) {
      return yield* new Step.CheckFailed({ output: `tsconfig.json does not refer to ${missing.join(", ")}` })
    }
    yield* Command.succeed("tsc", ["-b"])
    return `${listed.size} projects`
  }).pipe(Effect.catchTags({ PlatformError: Step.unusable, SchemaError: Step.unusable }))
)

/** One program of everything: checking project by project would look at most files many times. */
const everything = {
  extends: "../../tsconfig.base.json",
  include: [
    "packages/*/src",
    "packages/*/test",
    "examples/*/*.ts",
    "examples/*/src",
    "examples/*/test",
    "scripts",
    "*.ts"
  ].map((path) => `../../${path}`),
  compilerOptions: { composite: false, noEmit: true }
}

const effect = Step.make(
  "effect",
  "the Effect language service has no errors and no warnings",
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = `${Command.root}/.tsbuild/everything`
    yield* fs.makeDirectory(folder, { recursive: true })
    yield* fs.writeFileString(`${folder}/tsconfig.json`, JSON.stringify(everything))
    const severity = ["--strict", "--severity", "error,warning", "--format", "text"]
    const output = yield* Command.succeed("effect-tsgo", [
      "diagnostics",
      "--project",
      `${folder}/tsconfig.json`,
      ...severity
    ])
    return output.match(/\d+ files/)?.[0] ?? ""
  }).pipe(Effect.catchTag("PlatformError", Step.unusable))
)

/** The pattern is written so that it does not match itself. */
const registryHost = "(registry\\.[a-z0-9-]+|npm[a-z]*)\\.(org|com|io|dev|net|cn)([^a-z0-9-]|$)"

const hosts = Step.make(
  "hosts",
  "no file names the host of a package registry",
  Effect.gen(function* () {
    const args = ["grep", "--no-index", "--exclude-standard", "-I", "-n", "-i", "-E", registryHost]
    const { code, output } = yield* Command.run("git", args)
    if (code === 1) return ""
    return yield* new Step.CheckFailed({ output: `Take these host names out:\n${output}` })
  })
)

const Bundle = Schema.fromJsonString(
  Schema.Struct({ name: Schema.String, devDependencies: Schema.Record(Schema.String, Schema.String) })
)

/** A bundle has other packages inside, and changesets does not know: a release of one of them must be one of it too. */
const unreleased = Effect.fnUntraced(function* (released: ReadonlySet<string>) {
  const fs = yield* FileSystem.FileSystem
  const manifest = yield* fs.readFileString(`${Command.root}/packages/cli/package.json`)
  const { devDependencies, name } = yield* Schema.decodeEffect(Bundle)(manifest)
  const inside = Object.keys(devDependencies).filter((dependency) => released.has(dependency))
  return inside.length > 0 && !released.has(name)
    ? [`${name} has ${inside.join(", ")} inside: name it in a changeset too, or its users never get what has changed`]
    : []
}, Effect.mapError(Step.unusable))

const invalid = (cause: unknown) =>
  new Step.CheckFailed({ output: `.changeset: ${cause instanceof Error ? cause.message : String(cause)}` })

const changesets = Step.make(
  "changesets",
  "the configuration is valid and the pending changesets name public packages",
  Effect.gen(function* () {
    const { errors } = yield* Effect.tryPromise({ try: () => readConfig(Command.root), catch: invalid })
    if (errors !== undefined) return yield* new Step.CheckFailed({ output: errors.join("\n") })
    const pending = yield* Effect.tryPromise({ try: () => readChangesets(Command.root), catch: invalid })
    const names = new Set((yield* publicManifests).map(({ name }) => name))
    const strangers = pending.flatMap(({ id, releases }) =>
      releases
        .filter(({ name }) => !names.has(name))
        .map(({ name }) => `.changeset/${id}.md names ${name}, which is not a public package`)
    )
    const released = new Set(pending.flatMap(({ releases }) => releases.map(({ name }) => name)))
    const problems = [...strangers, ...(yield* unreleased(released))]
    if (problems.length > 0) return yield* new Step.CheckFailed({ output: problems.join("\n") })
    return `${pending.length} pending`
  })
)

export const sourceSteps: ReadonlyArray<Step.Step> = [format, lint, types, effect, hosts, changesets]
