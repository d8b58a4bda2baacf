/** Runs a pipeline in a scenario, looks at everything, and says how it ended. */
import { Emulator, type Journal } from "@effect-zim/emulator"
import type { Conversation } from "@effect-zim/protocol"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Scenario } from "../Scenario.ts"
import * as ZimTest from "../ZimTest.ts"
import * as EmulatorSpy from "./emulatorSpy.ts"
import * as VirtualTime from "./virtualTime.ts"

/**
 * What a pipeline gives for a conversation: the conversation itself, anything with its id (and the code of its type,
 * where that is known), or the id alone.
 *
 * @category models
 * @since 0.1.0
 */
export type Result = string | { readonly id: string; readonly typeCode?: number | undefined }

/**
 * A pipeline under test: for a user id, a stream of results, or an effect of all of them. It may ask for the client, for
 * the HTTP client (to make clients of its own), and for the emulator.
 *
 * @category models
 * @since 0.1.0
 */
export type Pipeline<E> = (
  userId: string
) => Stream.Stream<Result, E, ZimTest.Services> | Effect.Effect<Iterable<Result>, E, ZimTest.Services>

/**
 * Which conversations a pipeline is meant to give.
 *
 * @category models
 * @since 0.1.0
 */
export type Where = (conversation: Conversation.Conversation) => boolean

/** What became of one run of a pipeline for a user. */
export interface Outcome {
  readonly userId: string
  /** What came out, up to the end or the failure. */
  readonly results: Array<Result>
  /** How it ended; `undefined` where it did not. */
  exit: Exit.Exit<void, unknown> | undefined
}

/** What a pipeline did in a scenario. */
export type Observation = Effect.Success<ReturnType<typeof observe>>

/** Takes every result where it comes, so that those before a failure are known. */
const collect = <E>(run: ReturnType<Pipeline<E>>, into: Array<Result>): Effect.Effect<void, E, ZimTest.Services> =>
  Stream.isStream(run)
    ? Stream.runForEach(run, (result) => Effect.sync(() => void into.push(result)))
    : Effect.map(run, (results) => {
        for (const result of results) into.push(result)
      })

interface Options {
  /** For whom the pipeline runs, all at once. Default: everybody in the world. */
  readonly userIds?: ReadonlyArray<string>
  /** Wraps each run. */
  readonly around?: <A, E, R>(run: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Runs a pipeline in a scenario, and looks at everything. */
export const observe = Effect.fnUntraced(function* <E>(
  scenario: Scenario,
  pipeline: Pipeline<E>,
  { around = (run) => run, userIds = scenario.world.userIds }: Options = {}
) {
  const seen = new EmulatorSpy.Seen()
  const outcomes = userIds.map((userId): Outcome => ({ userId, results: [], exit: undefined }))
  const run = (outcome: Outcome) => {
    // A pipeline that throws where it is made dies, as one that throws later.
    const started = Effect.suspend(() => collect(pipeline(outcome.userId), outcome.results))
    return Effect.map(Effect.exit(around(started)), (exit) => void (outcome.exit = exit))
  }
  let journal: ReadonlyArray<Journal.Entry> = []
  const ended = yield* Effect.exit(
    ZimTest.run(
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        yield* Effect.forEach(outcomes, run, { concurrency: "unbounded", discard: true }).pipe(
          Effect.raceFirst(Deferred.await(seen.tooMany)),
          Effect.ensuring(Effect.map(emulator.journal.entries, (entries) => void (journal = entries)))
        )
      }),
      scenario.world,
      scenario.faults,
      { reading: scenario.reading, seed: scenario.seed, spy: seen }
    )
  )
  return {
    scenario,
    outcomes,
    served: seen.served,
    credentials: seen.credentials,
    journal,
    /** Why it did not come to its end, where it did not. */
    neverEnds:
      seen.calls > EmulatorSpy.maximumCalls
        ? `it made more than ${EmulatorSpy.maximumCalls} calls`
        : Exit.isSuccess(ended)
          ? undefined
          : problemOf(ended.cause)
  }
})

// ---- how it ended ----

/** What a cause says, in one line. */
const problemOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const text =
    error instanceof VirtualTime.NeverEnds
      ? error.message
      : error instanceof Error
        ? `${error.name}: ${error.message}`
        : String(error)
  return text.split("\n", 1).join()
}

/** A failure that the service gave no reason for, a defect, or no end at all. */
export const unfounded = (observation: Observation, { exit, userId }: Outcome): ReadonlyArray<string> => {
  if (observation.neverEnds !== undefined) return [`never ends: ${observation.neverEnds}`]
  if (exit === undefined) return ["was interrupted"]
  if (Exit.isSuccess(exit)) return []
  const problem = problemOf(exit.cause)
  if (Cause.hasDies(exit.cause)) return [`died: ${problem}`]
  const last = observation.journal.findLast((entry) => entry.userId === userId)
  if (last === undefined) return [`failed before it asked the service: ${problem}`]
  return last.code === 0 && last.faults.length === 0 ? [`failed although its last call was answered: ${problem}`] : []
}

/** No end at all. */
export const unended = (observation: Observation, outcome: Outcome): ReadonlyArray<string> =>
  outcome.exit === undefined ? unfounded(observation, outcome) : []

/** Any failure, but that of a user who is not registered. */
export const failed = ({ scenario }: Observation, { exit, userId }: Outcome): ReadonlyArray<string> =>
  exit === undefined || Exit.isSuccess(exit) || scenario.world.strangers.some((stranger) => stranger === userId)
    ? []
    : [`gave up: ${problemOf(exit.cause)}`]
