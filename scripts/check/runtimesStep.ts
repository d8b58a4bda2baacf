/** The packed packages on every runtime and by every bundler, held to the tables of `docs/runtimes.md`. */
import { Effect, FileSystem, Schema } from "effect"
import * as Command from "./Command.ts"
import * as InstalledProject from "./installedProject.ts"
import * as ReadyLine from "./ReadyLine.ts"
import { type Column, columns, permissions, prepare } from "./runtimes/columns.ts"
import type { Answers } from "./runtimes/probe/Check.ts"
import * as Table from "./runtimes/Table.ts"
import * as Step from "./Step.ts"

const page = `${Command.root}/docs/runtimes.md`

/** A table of the page is between these. */
const marks = (isBundler: boolean) => {
  const name = isBundler ? "bundlers" : "runtimes"
  return { begin: `<!-- ${name}: written by npm run runtimes -->`, end: `<!-- end of ${name} -->` }
}

const readyLine = Schema.decodeResult(
  Schema.fromJsonString(Schema.Struct({ url: Schema.String, helperUrl: Schema.String }))
)

/** In thousands: each column's apps are its own. */
const appIdOf = (index: number) => 1000 * (index + 1)

const serve = (count: number) => {
  const appIds = Array.from({ length: count }, (_, i) => `${appIdOf(i)}`)
  const server = `${Command.root}/scripts/check/runtimes/server.ts`
  const command = [process.execPath, "--conditions=@effect-zim/source", server, ...appIds] as const
  return Effect.map(
    ReadyLine.start(command, (line) => readyLine(line), { cwd: Command.root }),
    ({ line }) => line
  )
}

/** A column for each that was asked, a row for whatever any of them answers. */
const cellsOf = (answered: ReadonlyArray<readonly [Column, Answers]>): Table.Cells => {
  const rows = new Set(answered.flatMap(([, answers]) => Object.keys(answers)))
  return new Map(
    [...rows].map((row) => [
      row,
      new Map(answered.flatMap(([{ name }, answers]) => (row in answers ? [[name, answers[row] ?? ""] as const] : [])))
    ])
  )
}

const measure = Effect.fnUntraced(function* (asked: ReadonlyArray<Column>) {
  const fs = yield* FileSystem.FileSystem
  const cwd = yield* InstalledProject.project
  yield* prepare(cwd)
  const server = yield* serve(asked.length)
  const all = asked.map((column, i) =>
    Effect.gen(function* () {
      const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-zim-runtime-" })
      const given = { ...server, appId: appIdOf(i), folder }
      return [column, yield* column.answers({ given, cwd })] as const
    }).pipe(Effect.mapError(({ message }) => new Step.CheckFailed({ output: `${column.name}: ${message}` })))
  )
  return yield* Step.all(all, { concurrency: all.length })
}, Effect.scoped)

const between = (text: string, { begin, end }: ReturnType<typeof marks>): readonly [number, number] => {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  return from === -1 || to < from ? [text.length, text.length] : [from + begin.length, to]
}

const kinds = [false, true] as const

const check = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const asked = yield* columns(process.env["CI"] !== undefined)
  const answered = yield* measure(asked)
  const text = yield* fs.readFileString(page)
  const different = kinds.flatMap((isBundler) => {
    const measured = answered.filter(([column]) => column.isBundler === isBundler)
    const written = Table.parse(text.slice(...between(text, marks(isBundler))))
    // What was not measured here is left as it is.
    const names = new Set(measured.map(([{ name }]) => name))
    return Table.differences(Table.only(written, names), cellsOf(measured))
  })
  const unnamed = permissions("FOLDER").packages.filter((flag) => !text.includes(flag.replace("127.0.0.1", "HOST")))
  different.push(...unnamed.map((flag) => `Deno was run with ${flag}, which the page does not name`))
  if (different.length > 0) {
    const advice = "docs/runtimes.md says otherwise; if it is to be so, npm run runtimes writes it"
    return yield* new Step.CheckFailed({ output: [...different, advice].join("\n") })
  }
  return `${asked.length} runtimes and bundlers, as docs/runtimes.md has them`
}).pipe(Effect.catchTag("PlatformError", Step.unusable))

export const runtimesStep = Step.make("runtimes", "the packages do on every runtime what the table says", check)

/** Measures everything, and writes the tables into the page. */
export const write = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const answered = yield* measure(yield* columns(true))
  let text = yield* fs.readFileString(page)
  for (const isBundler of kinds) {
    const [from, to] = between(text, marks(isBundler))
    const table = Table.print(cellsOf(answered.filter(([column]) => column.isBundler === isBundler)))
    text = `${text.slice(0, from)}\n\n${table}\n\n${text.slice(to)}`
  }
  yield* fs.writeFileString(page, text)
  yield* Command.succeed("oxfmt", [page])
}).pipe(Effect.catchTag("PlatformError", Step.unusable))
