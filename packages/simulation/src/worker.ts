/** Simulates the cells that it is sent, one after the other. */
import * as Effect from "effect/Effect"
import { parentPort } from "node:worker_threads"
import * as Grid from "./Grid.ts"

parentPort?.on("message", (index: number) => {
  const cell = Grid.cells[index]
  if (cell === undefined) return
  void Effect.runPromise(Grid.summaryOf(cell)).then((summary) => parentPort?.postMessage(summary, []))
})
