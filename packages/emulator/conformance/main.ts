/**
 * `npm run conformance`: the suite against the service that `ZIM_CONFORMANCE_BASE_URL` names, otherwise against an emulator.
 * The settings of a client are not enough: they may be those of an emulator. Prints one line for each test, then what was seen of open points and what could not be tested.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Effect, Exit, Layer } from "effect"
import { ask } from "./Call.ts"
import type { Case } from "./Case.ts"
import { cases, run } from "./suite.ts"
import { BadSettings, layerEmulator, layerService, NotTestable, Target } from "./Target.ts"

type Outcome = "ok" | "FAILED" | "open" | "not testable"

/** What became of a case, and what there is to say of it. */
const outcomeOf = (exit: Exit.Exit<string | undefined, unknown>): readonly [Outcome, string] => {
  if (Exit.isSuccess(exit)) return exit.value === undefined ? ["ok", ""] : ["open", `seen: ${exit.value}`]
  const error = Cause.squash(exit.cause)
  if (error instanceof NotTestable) return ["not testable", error.reason]
  return ["FAILED", error instanceof Error ? error.message : String(error)]
}

const test = Effect.fnUntraced(function* (item: Case) {
  const [outcome, detail] = outcomeOf(yield* Effect.exit(run(item)))
  yield* Console.log(`${outcome.padEnd(12)} ${item.id.padEnd(20)} ${item.sentence}`)
  if (detail !== "") yield* Console.log(detail.replaceAll(/^/gm, " ".repeat(34)))
  return outcome
})

const suite = Effect.gen(function* () {
  const { name, userId } = yield* Target
  const { code, json } = yield* ask({ FromUserId: userId })
  if (code !== 0) {
    const message = String(Reflect.get(json, "Message"))
    return yield* new BadSettings({ message: `the list of ${userId} cannot be read: ${code}, ${message}` })
  }
  yield* Console.log(`${cases.length} tests of docs/contract.md against ${name}\n`)
  const outcomes = yield* Effect.forEach(cases, test)
  const count = (outcome: Outcome) => outcomes.filter((other) => other === outcome).length
  yield* Console.log(
    `\n${count("ok")} ok, ${count("FAILED")} failed, ${count("open")} open points seen, ` +
      `${count("not testable")} not testable here`
  )
  return count("FAILED")
})

const isNamed = process.env["ZIM_CONFORMANCE_BASE_URL"] !== undefined

const layer = isNamed ? layerService : Layer.orDie(layerEmulator)

suite.pipe(
  Effect.provide(layer),
  Effect.catchTag(["BadSettings", "ConfigError", "NoAnswer"], ({ message }) =>
    Effect.as(Console.error(`${message}\nThe settings: docs/guides/conformance.md`), 1)
  ),
  Effect.tap((failed) => Effect.sync(() => (process.exitCode = failed === 0 ? 0 : 1))),
  NodeRuntime.runMain
)
