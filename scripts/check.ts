/**
 * `npm test`: runs every step, or those named (`npm test -- lint unit`), and ends with `N passed, N failed`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect } from "effect"
import { docsSteps } from "./check/docsSteps.ts"
import { packageSteps } from "./check/packageSteps.ts"
import { siteSteps } from "./check/siteStep.ts"
import { sourceSteps } from "./check/sourceSteps.ts"
import * as Step from "./check/Step.ts"
import { tagsSteps } from "./check/tagsStep.ts"
import { unitSteps } from "./check/unitStep.ts"

const steps = [...sourceSteps, ...unitSteps, ...tagsSteps, ...docsSteps, ...packageSteps, ...siteSteps]

const table = (finished: ReadonlyArray<Step.Finished>): string => {
  const rows = finished.map(({ failed, name, note, passed, seconds }) => {
    const result = failed === 0 ? "ok" : passed === 0 ? "FAILED" : `FAILED (${failed})`
    return `${name.padEnd(12)} ${result.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s  ${note.split("\n").at(-1) ?? ""}`
  })
  return rows.map((row) => row.trimEnd()).join("\n")
}

const program = Effect.gen(function* () {
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((name) => !steps.some((step) => step.name === name))
  if (unknown.length > 0) {
    yield* Console.error(`No such step: ${unknown.join(", ")}. There are: ${steps.map(({ name }) => name).join(", ")}`)
    return false
  }
  const isCi = process.env["CI"] !== undefined
  const selected = steps.filter(({ isForCi, name }) =>
    wanted.length === 0 ? isForCi === undefined || isCi : wanted.includes(name)
  )
  const finished = yield* Effect.forEach(selected, Step.run)
  const sum = (key: "passed" | "failed") => finished.reduce((total, step) => total + step[key], 0)
  yield* Console.log(`\n${table(finished)}\n\n${sum("passed")} passed, ${sum("failed")} failed`)
  return sum("failed") === 0
})

program.pipe(
  Effect.scoped,
  Effect.tap((ok) => Effect.sync(() => (process.exitCode = ok ? 0 : 1))),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
