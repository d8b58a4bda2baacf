/**
 * The steps that look at the packages as users get them.
 */
import { Effect } from "effect"
import * as Command from "./Command.ts"
import { install } from "./installedProject.ts"
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

const forEachTarball = (program: string, args: (tarball: Tarball) => ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const checks = (yield* tarballs).map((tarball) => Command.succeed(program, args(tarball)))
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
  forEachTarball("attw", ({ entryPoints, file, name }) => {
    // Left to itself, attw does not look behind the `*` of an export map.
    const deep = entryPoints.map((entryPoint) => `.${entryPoint.slice(name.length)}`)
    return [file, "--profile", "esm-only", "--no-emoji", "--no-color", "--include-entrypoints", ...deep]
  })
)

const installed = Step.make(
  "install",
  "a new project installs the tarballs, compiles against them and runs",
  Effect.flatMap(tarballs, install)
)

export const packageSteps: ReadonlyArray<Step.Step> = [pack, publint, attw, installed]
