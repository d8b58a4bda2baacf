/** How many bytes the packages add to a bundle. */
import * as Effect from "effect/Effect"
import * as Bundle from "../Bundle.ts"
import * as Measure from "../Measure.ts"
import type * as Results from "../Results.ts"
import type { Suite } from "../Suite.ts"

const goals: Readonly<Record<string, number>> = { "signing one request": 12_000, "minimal client": 45_000 }

interface Sized {
  readonly name: string
  readonly role: Results.Row["role"]
  readonly gzipped: number
  readonly minified: number
}

const run = Effect.gen(function* () {
  yield* Measure.announce("bundles")
  const bundles = yield* Effect.forEach(Bundle.programs, (program) =>
    Effect.map(Bundle.make(program), (bundle) => ({ ...program, ...bundle }))
  )
  yield* Bundle.buildCommandLine
  const commandLine: Sized = { name: "zim", role: "ours", ...(yield* Bundle.commandLine) }
  const columns = [
    { name: "gzipped", format: "bytes" },
    { name: "minified", format: "bytes" }
  ] as const
  const row = ({ gzipped, minified, name, role }: Sized): Results.Row => ({
    name,
    role,
    values: [gzipped, minified].map((middle) => ({ middle }))
  })
  const table: Results.Table = {
    title: "Minified, with everything inside",
    about: "",
    columns,
    rows: bundles.map(row),
    goals: bundles.flatMap(({ gzipped, name }): ReadonlyArray<Results.Goal> => {
      const most = goals[name]
      return most === undefined
        ? []
        : [{ text: `${name}, gzipped`, reached: gzipped, bound: { atMost: most }, format: "bytes" }]
    }),
    isCharted: true
  }
  const published: Results.Table = {
    title: "The command line, as it is published",
    about: "",
    columns,
    rows: [row(commandLine)],
    goals: [],
    isCharted: false
  }
  return [table, published]
})

export const size: Suite = {
  name: "size",
  title: "Bytes in a bundle",
  about: `Bundled by rolldown, without what is not used, minified, and gzipped at level 9; \`effect\` is inside. 1 KB is 1000
bytes. Peers do not sign and have no policies: axios and zod read one answer. The minimal client reads one list.`,
  run
}
