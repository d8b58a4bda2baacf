/**
 * One step of `npm test`: what it is called, what it checks, and how.
 */
import { Cause, Clock, Console, Data, Effect, Exit } from "effect"
import type { ChildProcessSpawner } from "effect/process"
import type { FileSystem, Path, Scope } from "effect"

/** The step found something wrong; `output` is all that a reader needs to mend it. */
export class CheckFailed extends Data.TaggedError("CheckFailed")<{ readonly output: string }> {
  override get message(): string {
    return this.output
  }
}

/** For what the system refuses. */
export const unusable = (error: { readonly message: string }) => new CheckFailed({ output: error.message })

/** What a step counts for in the last line, and a few words for the table. */
export interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly note: string
}

/** The scope is that of all steps: what several of them use goes with it. */
export type Requirements = ChildProcessSpawner.ChildProcessSpawner | FileSystem.FileSystem | Path.Path | Scope.Scope

export interface Step {
  readonly name: string
  readonly about: string
  /** Takes long, or fetches what no other step needs: elsewhere it runs only when it is named. */
  readonly isForCi?: true
  readonly run: Effect.Effect<Outcome, CheckFailed, Requirements>
}

/** A step that either passes, with a note, or fails. It counts as one. */
export const make = (name: string, about: string, check: Effect.Effect<string, CheckFailed, Requirements>): Step => ({
  name,
  about,
  run: Effect.map(check, (note) => ({ passed: 1, failed: 0, note }))
})

export interface Finished extends Outcome {
  readonly name: string
  readonly seconds: number
}

/** Runs one step under its heading. Whatever goes wrong is printed and counted; nothing stops the steps after it. */
export const run = Effect.fnUntraced(function* (step: Step): Effect.fn.Return<Finished, never, Requirements> {
  yield* Console.log(`\n── ${step.name}: ${step.about}`)
  const started = yield* Clock.currentTimeMillis
  const exit = yield* step.run.pipe(
    Effect.timeoutOrElse({
      // On a busy machine the tests take several times what they take on a quiet one: this only ends what hangs.
      duration: "45 minutes",
      orElse: () => Effect.fail(new CheckFailed({ output: "did not finish within 45 minutes" }))
    }),
    Effect.exit
  )
  const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
  if (Exit.isSuccess(exit)) {
    yield* Console.log(`${exit.value.failed === 0 ? "ok" : "FAILED"} ${exit.value.note}`.trimEnd())
    return { name: step.name, seconds, ...exit.value }
  }
  const problem = Cause.findErrorOption(exit.cause)
  yield* Console.log(problem._tag === "Some" ? problem.value.output : Cause.pretty(exit.cause))
  yield* Console.log("FAILED")
  return { name: step.name, seconds, passed: 0, failed: 1, note: "" }
})

/** Runs every check, so that one run shows every failure; fails with all their output if any failed. */
export const all = <A, R>(
  checks: Iterable<Effect.Effect<A, CheckFailed, R>>,
  options?: { readonly concurrency?: number }
): Effect.Effect<ReadonlyArray<A>, CheckFailed, R> =>
  Effect.gen(function* () {
    const [passed, failures] = yield* Effect.partition(checks, (check) => check, options)
    if (failures.length > 0) {
      return yield* new CheckFailed({ output: failures.map((failure) => failure.output.trimEnd()).join("\n\n") })
    }
    return passed
  })
