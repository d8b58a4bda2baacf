/** How long a program takes until it can begin. */
import * as Effect from "effect/Effect"
import * as Bundle from "../Bundle.ts"
import * as Paths from "../Paths.ts"
import * as Measure from "../Measure.ts"
import * as Results from "../Results.ts"
import type { Suite } from "../Suite.ts"

const bare = "Node alone"
const limit = "effect/http/HttpClient and effect/Schema"
const ours = "@effect-zim/client"

/** What the client imports of Effect, that the limit does not. */
const partsOfEffect = ["Random", "Stream", "http/FetchHttpClient"]

const importing = (...modules: ReadonlyArray<string>): ReadonlyArray<string> => [
  "--input-type=module",
  "--eval",
  modules.map((module) => `import * as _${modules.indexOf(module)} from ${JSON.stringify(module)}`).join("\n")
]

const imports: ReadonlyArray<Measure.Program> = [
  { name: bare, role: "limit", args: ["--input-type=module", "--eval", "0"] },
  { name: limit, role: "limit", args: importing("effect/http/HttpClient", "effect/Schema") },
  {
    name: "and what else the client uses of Effect",
    role: "limit",
    args: importing("effect/http/HttpClient", "effect/Schema", ...partsOfEffect.map((name) => `effect/${name}`))
  },
  { name: "zod", role: "peer", args: importing("zod") },
  { name: "axios", role: "peer", args: importing("axios") },
  { name: "undici", role: "peer", args: importing("undici") },
  { name: "effect, all of it", role: "peer", args: importing("effect") },
  ...["signing", "protocol", "client", "node", "export", "emulator", "testing"].map((name): Measure.Program => ({
    name: `@effect-zim/${name}`,
    role: "ours",
    args: importing(`@effect-zim/${name}`)
  }))
]

/** What importing takes on top of Node's own start. */
const withoutNode = (series: ReadonlyArray<Measure.Series>): ReadonlyArray<Measure.Series> => {
  const { costs: starts } = Measure.find(series, bare)
  const start = { cpu: Measure.spread(starts.map(({ cpu }) => cpu)).middle }
  return series.map((one) => ({
    ...one,
    costs: one.costs.map(({ cpu, wall }) => ({ cpu: cpu - start.cpu, wall }))
  }))
}

const modules = Effect.gen(function* () {
  yield* Measure.announce("imports")
  const whole = yield* Measure.programs(imports, { rounds: 25 })
  const net = withoutNode(whole)
  const base = Measure.find(net, limit)
  const table: Results.Table = {
    title: "Importing",
    about: `The ratio is that of the CPU time on top of Node's own start, which everybody has.`,
    columns: [
      { name: `times ${limit}`, format: "times" },
      { name: "CPU on top of Node", format: "micros" },
      { name: "CPU, whole process", format: "micros" },
      { name: "time, whole process", format: "micros" }
    ],
    rows: whole.map((one) => {
      const own = Measure.find(net, one.name)
      const isBare = one.name === bare
      return {
        name: one.name,
        role: one.role,
        values: [
          isBare ? null : Measure.ratio(own, base),
          isBare ? null : Measure.each(own),
          Measure.each(one),
          Measure.each(one, "wall")
        ]
      }
    }),
    goals: [Results.atMost("Importing the client, on top of Node", net, { name: ours, base: limit }, 1.15)],
    isCharted: true
  }
  return table
})

const commands = Effect.gen(function* () {
  yield* Measure.announce("the command line")
  yield* Bundle.buildCommandLine
  const node = "node -e 0"
  const [version, codes] = ["zim --version", "zim codes"]
  const series = yield* Measure.programs([
    { name: node, role: "limit", args: ["-e", "0"] },
    { name: version, role: "ours", args: [Paths.commandLine, "--version"] },
    { name: codes, role: "ours", args: [Paths.commandLine, "codes"] }
  ])
  return Results.costTable({
    title: "The command line",
    about: "The program as it is published.",
    series,
    unit: "run",
    goals: [
      Results.atMost(version, series, { name: version, base: node }, 1.6),
      Results.atMost(codes, series, { name: codes, base: node }, 2)
    ],
    isCharted: false
  })
})

export const coldStart: Suite = {
  name: "cold-start",
  title: "The time until a program can begin",
  about: `Whole processes in turns, with warm file caches. Packages are imported as users get them, from \`dist\`.`,
  run: Effect.all([modules, commands])
}
