/**
 * `npm run bench`: runs all suites, or those that are named, each in a process of its own, and writes
 * `docs/benchmarks.md` from what all of them found, now or at another time.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import * as Paths from "./Paths.ts"
import * as ResultsPage from "./ResultsPage.ts"
import { suites } from "./suites/index.ts"

const noWrite = "--no-write"
const onlyPage = "--page"

const usage = `npm run bench -- [${noWrite} | ${onlyPage}] [NAME...]

Runs all suites, or those that are named, and writes docs/benchmarks.md; with ${noWrite} it only prints, with ${onlyPage} it
runs nothing and writes the page anew from what is stored.

${suites.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join("\n")}`

const run = (name: string, options: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const args = ["--expose-gc", ...process.execArgv, Paths.beside("suiteProgram"), name, ...options]
      const child = yield* ChildProcess.make(process.execPath, args, {
        stdin: "inherit",
        stdout: "inherit",
        stderr: "inherit"
      })
      return yield* child.exitCode
    })
  )

const program = Effect.gen(function* () {
  const args = process.argv.slice(2)
  if (args.includes(onlyPage)) {
    yield* ResultsPage.write
    return true
  }
  const names = args.filter((arg) => arg !== noWrite)
  const strangers = names.filter((name) => !suites.some((suite) => suite.name === name))
  if (strangers.length > 0) {
    yield* Console.error(`${strangers.join(", ")}?\n\n${usage}`)
    return false
  }
  const options = args.includes(noWrite) ? [noWrite] : []
  const failed: Array<string> = []
  for (const { name, title } of suites.filter(({ name }) => names.length === 0 || names.includes(name))) {
    yield* Console.log(`\n── ${name}: ${title}`)
    if ((yield* run(name, options)) !== 0) failed.push(name)
  }
  if (options.length === 0) yield* ResultsPage.write
  if (failed.length > 0) yield* Console.error(`\nFailed: ${failed.join(", ")}`)
  return failed.length === 0
})

program.pipe(
  Effect.tap((ok) => Effect.sync(() => (process.exitCode = ok ? 0 : 1))),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
