/** `npm run simulate`: runs the whole grid, prints the tables, and writes them to `docs/simulation.md`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Queue from "effect/Queue"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import * as Grid from "./Grid.ts"
import * as MarkdownReport from "./MarkdownReport.ts"
import type { Summary } from "./Simulation.ts"

const file = new URL("../../../docs/simulation.md", import.meta.url).pathname

/** A thread that simulates one cell after the other. */
const makeThread = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => new Worker(new URL("./worker.ts", import.meta.url))),
    (worker) => Effect.promise(() => worker.terminate())
  ),
  (worker) =>
    (index: number): Effect.Effect<Summary> =>
      Effect.callback((resume) => {
        const answered = (summary: Summary) => {
          worker.off("error", failed)
          resume(Effect.succeed(summary))
        }
        const failed = (error: Error) => resume(Effect.die(error))
        worker.once("message", answered)
        worker.once("error", failed)
        worker.postMessage(index, [])
      })
)

const simulateAll = Effect.gen(function* () {
  const threads = yield* Effect.all(Array.from({ length: availableParallelism() }, () => makeThread))
  const idle = yield* Queue.unbounded<(index: number) => Effect.Effect<Summary>>()
  yield* Queue.offerAll(idle, threads)
  return yield* Effect.forEach(
    Grid.cells,
    (cell, index) =>
      Effect.flatMap(Queue.take(idle), (simulate) =>
        Effect.map(Effect.tap(simulate(index), Queue.offer(idle, simulate)), (summary) => ({ ...cell, ...summary }))
      ),
    { concurrency: threads.length }
  )
}).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  const report = MarkdownReport.markdown(yield* simulateAll)
  yield* Console.log(report)
  const fs = yield* FileSystem.FileSystem
  const before = yield* Effect.orElseSucceed(fs.readFileString(file), () => "")
  yield* fs.writeFileString(file, MarkdownReport.replace(before, report))
})

program.pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
