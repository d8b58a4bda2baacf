/**
 * The steps that look at the packages as users get them.
 */
import { Effect } from "effect"
import * as Command from "./Command.ts"
import * as Examples from "./examples.ts"
import * as InstalledCli from "./installedCli.ts"
import * as InstalledProject from "./installedProject.ts"
import * as Nodes from "./nodes.ts"
import { runtimesStep } from "./runtimesStep.ts"
import * as Step from "./Step.ts"
import { problems, type Tarball, tarballs } from "./Tarballs.ts"

const pack = Step.make(
  "pack",
  "every public package packs, with all it needs and nothing else",
  Effect.gen(function* () {
    const all = yield* tarballs
    const found = all.flatMap(problems)
    if (found.length > 0) return yield* new Step.CheckFailed({ output: found.join("\n") })
    return `${all.length} tarballs`
  })
)

const forEachTarball = (
  program: string,
  args: (tarball: Tarball) => ReadonlyArray<string>,
  isConcerned: (tarball: Tarball) => boolean = () => true
) =>
  Effect.gen(function* () {
    const checks = (yield* tarballs).filter(isConcerned).map((tarball) => Command.succeed(program, args(tarball)))
    return `${(yield* Step.all(checks, { concurrency: 2 })).length} tarballs`
  })

const publint = Step.make(
  "publint",
  "nothing to improve for publishing",
  forEachTarball("publint", ({ file }) => ["run", "--strict", file])
)

const attw = Step.make(
  "attw",
  "the types of every entry point resolve in ESM",
  forEachTarball(
    "attw",
    ({ entryPoints, file, name }) => {
      // Left to itself, attw does not look behind the `*` of an export map.
      const deep = entryPoints.map((entryPoint) => `.${entryPoint.slice(name.length)}`)
      return [file, "--profile", "esm-only", "--no-emoji", "--no-color", "--include-entrypoints", ...deep]
    },
    ({ entryPoints }) => entryPoints.length > 0
  )
)

const installed = Step.make(
  "install",
  "a new project installs the tarballs, compiles against them and runs",
  InstalledProject.check
)

const examples = Step.make(
  "examples",
  "each example installs the tarballs, compiles against them, and runs against an emulator",
  Effect.gen(function* () {
    const packed = yield* tarballs
    const all = yield* Examples.all
    const problems = yield* Examples.problems(all, packed)
    if (problems.length > 0) return yield* new Step.CheckFailed({ output: problems.join("\n") })
    const folder = yield* Examples.install(all, packed)
    const possible = all.filter((example) => Examples.missing(example) === undefined)
    yield* Step.all([Examples.compile(all, folder), ...possible.map((example) => Examples.run(example, folder))], {
      concurrency: 4
    })
    const left = all.filter((example) => !possible.includes(example))
    return [
      `${possible.length} run`,
      ...left.map((example) => `${example.name} not run: ${Examples.missing(example)}`)
    ].join(", ")
  }).pipe(Effect.scoped)
)

/** Runs the installed `zim` on these versions of Node, each given by its program. */
const onEach = (programs: Effect.Effect<ReadonlyArray<string>, Step.CheckFailed, Step.Requirements>) =>
  Effect.gen(function* () {
    const tarball = (yield* tarballs).find(({ name }) => name === "@effect-zim/cli")
    if (tarball === undefined) return yield* new Step.CheckFailed({ output: "@effect-zim/cli is not public" })
    const folder = yield* InstalledCli.install(tarball)
    const nodes = yield* programs
    const versions = yield* Effect.forEach(nodes, (node) =>
      Effect.andThen(InstalledCli.check(node, folder, tarball.version), Command.succeed(node, ["--version"]))
    )
    return `${Math.round(tarball.size / 1000)} kB; on Node ${versions.map((version) => version.trim().slice(1)).join(", ")}`
  }).pipe(Effect.scoped, Effect.catchTags({ PlatformError: Step.unusable, SchemaError: Step.unusable }))

const cli = Step.make("cli", "zim installs alone, starts fast and exports", onEach(Effect.succeed([process.execPath])))

const programs = Effect.forEach(Nodes.versions, Nodes.programOf)

/** An old `node:sqlite` treats texts in its own way: the tests of what is written, on each version. */
const sinks = Effect.gen(function* () {
  const vitest = `${Command.root}/node_modules/vitest/vitest.mjs`
  const files = ["files", "keys", "sqlite"].map((name) => `packages/export/test/${name}.test.ts`)
  for (const node of yield* programs) {
    yield* Command.succeed(node, [vitest, "run", "--config", "vitest.workspace.ts", "--project", "export", ...files])
  }
})

const nodes: Step.Step = {
  ...Step.make(
    "nodes",
    "the same on the oldest and the newest Node, and the tests of what an export writes",
    Effect.tap(onEach(programs), () => sinks)
  ),
  isForCi: true
}

export const packageSteps: ReadonlyArray<Step.Step> = [
  pack,
  publint,
  attw,
  installed,
  runtimesStep,
  examples,
  cli,
  nodes
]
