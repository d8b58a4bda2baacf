/** `docs/benchmarks.md` and its chart, from the stored results. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as ChildProcess from "effect/process/ChildProcess"
import * as Chart from "./Chart.ts"
import * as Paths from "./Paths.ts"
import * as Results from "./Results.ts"
import * as TextTables from "./TextTables.ts"
import { suites } from "./suites/index.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(Results.Outcome))

/** What each suite found when it last ran. */
export const outcomes = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const stored = yield* Effect.forEach(suites, ({ name }) =>
    Effect.gen(function* () {
      const file = Paths.result(name)
      return (yield* fs.exists(file)) ? [yield* decode(yield* fs.readFileString(file))] : []
    })
  )
  return stored.flat()
})

const machine = ({ cores, cpu, memory, platform, versions }: Results.Machine): string => {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${cpu}, ${cores} cores, ${(memory / 2 ** 30).toFixed(0)} GiB, ${platform}. ${used.join(", ")}.`
}

const goals = (outcomes: ReadonlyArray<Results.Outcome>): string => {
  const rows = outcomes.flatMap(({ suite, tables }) =>
    tables.flatMap(({ goals }) => goals.map((goal) => [`[${suite}](#${suite})`, ...TextTables.goal(goal)]))
  )
  return [["Suite", "Goal", "", "Reached", ""], ["---", "---", "---", "--:", "---"], ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n")
}

/** A text of the sources, whose lines end where there was no more room, as one line. */
const paragraph = (text: string): string => text.replaceAll(/(?<!\n)\n(?!\n)/g, " ")

const section = ({ about, seconds, suite, tables, title }: Results.Outcome): string =>
  [
    `## ${suite}`,
    paragraph(`${title}. ${about}`),
    ...tables.flatMap((table) => [
      `### ${table.title}`,
      ...(table.about === "" ? [] : [paragraph(table.about)]),
      TextTables.markdown(table),
      ...(table.goals.length === 0 ? [] : [table.goals.map((goal) => `- ${TextTables.goalLine(goal)}.`).join("\n")])
    ]),
    `Took ${seconds.toFixed(0)} s: \`npm run bench -- ${suite}\`.`
  ].join("\n\n")

/** Where all were measured; where not all on the same machine with the same versions, each with its own. */
const machines = (outcomes: ReadonlyArray<Results.Outcome>): string => {
  const places = new Map<string, ReadonlyArray<string>>()
  for (const outcome of outcomes) {
    const place = machine(outcome.machine)
    places.set(place, [...(places.get(place) ?? []), outcome.suite])
  }
  return [...places].map(([place, names]) => (places.size === 1 ? place : `${names.join(", ")}: ${place}`)).join("\n\n")
}

export const markdown = (outcomes: ReadonlyArray<Results.Outcome>): string =>
  `${[
    "# Benchmarks",
    "<!-- Written by `npm run bench` from packages/benchmarks/results. -->",
    `What these packages cost, beside the least that the same work can cost and beside what one would use instead. \`npm run bench\` writes this page, \`npm run bench -- NAME\` its part of it; [how it measures](../packages/benchmarks/README.md).`,
    `![Bars for the ratios of the tables below.](images/benchmarks.svg)`,
    `Rows in bold are these packages. A ratio is a median, with the range of its middle half in brackets. What is compared was measured in turns, in one process or in alternating processes, after a check that everybody answers the same. Less is better, unless a column says otherwise.`,
    `Measured on: ${machines(outcomes)}`,
    "## Goals",
    "Why those that are not met stay here: [decision 23](decisions/0023-speed-goals-not-reached.md).",
    goals(outcomes),
    ...outcomes.map(section)
  ].join("\n\n")}\n`

export const write = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const all = yield* outcomes
  yield* fs.writeFileString(Paths.page, markdown(all))
  yield* fs.writeFileString(Paths.chart, Chart.svg(all))
  const format = yield* ChildProcess.make(`${Paths.root}node_modules/.bin/oxfmt`, [Paths.page, Paths.results], {
    cwd: Paths.root
  })
  yield* format.exitCode
}).pipe(Effect.scoped)
