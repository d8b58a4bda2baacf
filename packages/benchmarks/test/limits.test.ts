import * as Bundle from "@effect-zim/benchmarks/Bundle"
import * as Paths from "@effect-zim/benchmarks/Paths"
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import { fileURLToPath } from "node:url"
import { limits } from "./limits.ts"

const source = "@effect-zim/source"

/** Runs one of the programs beside this file, and decodes what it prints. */
const run = <A>(program: string, schema: Schema.Codec<A, string>, flags: ReadonlyArray<string>, argument = "") =>
  Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const file = fileURLToPath(new URL(`support/${program}.ts`, import.meta.url))
    const args = [`--conditions=${source}`, ...flags, file, argument]
    const env = { NODE_OPTIONS: "" }
    const child = ChildProcess.make(process.execPath, args, { env, extendEnv: true, stderr: "inherit" })
    return yield* Schema.decodeEffect(schema)(yield* spawner.string(child))
  }).pipe(Effect.provide(NodeServices.layer))

/** Every count has a limit, and the other way round. */
const assertWithin = (counted: Readonly<Record<string, number>>, limits: Readonly<Record<string, number>>): void => {
  assert.deepStrictEqual(Object.keys(counted).toSorted(), Object.keys(limits).toSorted())
  const exceeded = Object.entries(counted).filter(([name, count]) => !(count <= (limits[name] ?? 0)))
  assert.deepStrictEqual(
    exceeded.map(([name, count]) => `${name}: ${count}, limit ${limits[name]}`),
    []
  )
}

const flat = (groups: Readonly<Record<string, Readonly<Record<string, number>>>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(groups).flatMap(([group, counts]) =>
      Object.entries(counts).map(([name, count]) => [`${group}, ${name}`, count])
    )
  )

describe("limits", () => {
  it.effect.each(Object.entries(limits.bundle))("bundle: %s", ([name, limit]) =>
    Effect.gen(function* () {
      const program = Bundle.programs.find((program) => program.name === name)
      if (program === undefined) return assert.fail(`no program "${name}"`)
      const { gzipped } = yield* Bundle.make(program, { conditions: [source] })
      assertWithin({ gzipped }, { gzipped: limit })
    })
  )

  it.effect.each(Object.entries(limits.modules))("modules: %s", ([name, limit]) =>
    Effect.gen(function* () {
      const modules = yield* run("modules", Schema.fromJsonString(Schema.Int), [], `@effect-zim/${name}`)
      assertWithin({ modules }, { modules: limit })
    })
  )

  it.effect("the way of one page is as the architecture says", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const page = yield* fs.readFileString(`${Paths.root}/docs/architecture.md`)
      const [, list = ""] = page.split(/The modules on the way|^## Why this order/m)
      const named = list
        .split("\n")
        .flatMap((line) => (line.startsWith("|") ? (line.match(/(?<=`)\w+(?=`)/g) ?? []) : []))
      const ran = yield* run("way", Schema.fromJsonString(Schema.Array(Schema.String)), [])
      const names = ran.map((module) => module.replace(/.*\//, ""))
      assert.deepStrictEqual(names.toSorted(), [...new Set(named)].toSorted())
    }).pipe(Effect.provide(NodeServices.layer))
  )

  const Counts = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Finite)))

  it.effect("what calls, lists and pages do", () =>
    Effect.gen(function* () {
      // Neither optimized code, which allocates less, nor a collection meanwhile.
      const flags = ["--expose-gc", "--no-opt", "--no-maglev", "--no-sparkplug"]
      const youngGeneration = ["--min-semi-space-size=256", "--max-semi-space-size=256"]
      const counted = yield* run("counting", Counts, [...flags, ...youngGeneration])
      assertWithin(flat(counted), flat(limits.counts))
    })
  )
})
