/**
 * What holds for every good pipeline over conversation lists, as functions that you run over your own:
 *
 * - {@link complete}: what ends well has left nothing out
 * - {@link exactlyOnce}: nothing comes twice, and nothing that is not in the list
 * - {@link inOrder}: in the order of the service, or sorted by time
 * - {@link finishes}: it gets through every trouble that ends
 * - {@link resumes}: from every checkpoint with exactly the rest
 * - {@link respectsQuota}: a crowd of users makes no call that the service rejects
 * - {@link keepsSecrets}: no secret, signature or nonce in a result, an error, a log line, a span or a metric
 *
 * Each takes a scenario (see `Arbitraries.scenario`) and the pipeline, runs it for every user of the scenario's world in
 * virtual time against the emulator, and fails with {@link LawBroken}, which says in words what went wrong. So a test is
 * three lines:
 *
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.effect.prop("loses nothing", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.complete(scenario, (userId) => Conversations.stream(userId))
 * )
 * ```
 *
 * A pipeline may fail with a typed error where the service failed it: only {@link finishes} demands more. It must not
 * die, hang, or fail although its last call was answered: every law says so.
 */
import type { Cursor } from "@effect-zim/protocol"
import { Journal } from "@effect-zim/emulator"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ListComparison from "./internal/listComparison.ts"
import * as PipelineRun from "./internal/pipelineRun.ts"
import type { Observation, Outcome, Pipeline, Result, Where } from "./internal/pipelineRun.ts"
import * as SecretLeaks from "./internal/secretLeaks.ts"
import * as InWords from "./internal/textForPeople.ts"
import { Scenario } from "./Scenario.ts"
import { TestWorld } from "./TestWorld.ts"
import type { Services } from "./ZimTest.ts"

export type { Pipeline, Result, Where }

/**
 * What a law may know of the pipeline.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** For a pipeline that leaves some out on purpose: which ones it gives. Default: all. */
  readonly where?: Where | undefined
}

/**
 * A law does not hold: in words, what went wrong for which user.
 *
 * @category errors
 * @since 0.1.0
 */
export class LawBroken extends Schema.TaggedError<LawBroken>("@effect-zim/testing/LawBroken")("LawBroken", {
  law: Schema.String,
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `not ${this.law}\n${InWords.some(this.problems, 5, "\n")}`.replaceAll("\n", "\n  ")
  }
}

const judge = (law: string, problems: ReadonlyArray<string>): Effect.Effect<void, LawBroken> =>
  problems.length === 0 ? Effect.void : Effect.fail(new LawBroken({ law, problems }))

/** What one outcome has against it. */
type Article = (observation: Observation, outcome: Outcome, where?: Where) => ReadonlyArray<string>

const problemsOf = (observation: Observation, articles: ReadonlyArray<Article>, where?: Where): ReadonlyArray<string> =>
  observation.outcomes.flatMap((outcome) =>
    articles
      .flatMap((article) => article(observation, outcome, where))
      .map((problem) => `user ${outcome.userId}: ${problem}`)
  )

const lawOf =
  (name: string, articles: ReadonlyArray<Article>) =>
  <E>(scenario: Scenario, pipeline: Pipeline<E>, options?: Options): Effect.Effect<void, LawBroken> =>
    Effect.flatMap(PipelineRun.observe(scenario, pipeline), (observation) =>
      judge(name, problemsOf(observation, [PipelineRun.unfounded, ...articles], options?.where))
    )

/**
 * What ends well has left nothing out: of every registered user the whole list, at most the latest 1000.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 * import { Stream } from "effect"
 *
 * const groups = (userId: string) => Conversations.stream(userId).pipe(Stream.filter(({ type }) => type === "Group"))
 *
 * it.effect.prop("gives every group", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.complete(scenario, groups, { where: ({ type }) => type === "Group" })
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const complete = lawOf("complete", [ListComparison.missing])

/**
 * Nothing comes twice, not even where the pipeline fails in the end, and nothing comes that is not in the list.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.effect.prop("gives each once", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.exactlyOnce(scenario, (userId) => Conversations.stream(userId))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const exactlyOnce = lawOf("exactly once", [ListComparison.repeated])

/**
 * Conversations come in the order in which the service sent them (ascending by time, within each page at least), as
 * `Conversations.stream` gives them, or all of them sorted by time, the oldest first, as `Conversations.snapshot` does.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.effect.prop("keeps the order", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.inOrder(scenario, (userId) => Conversations.stream(userId))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const inOrder = lawOf("in order", [ListComparison.disordered])

/**
 * The pipeline gets through: it ends well for every registered user, whatever happens on the way. For scenarios whose
 * troubles end ({@link Arbitraries.scenario}), and for pipelines that are patient enough; a user who is not registered
 * may be an error.
 *
 * `RetryPolicy.patient` asks 6 times where it is in doubt whether asking again helps, and 4 troubles of 9 calls each can
 * come one after the other. So draw no more than 5 calls in trouble, as here, or give `bounded` a schedule without end.
 *
 * @example
 * ```ts
 * import { Conversations, RetryPolicy, Timeout } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * const patient = (userId: string) =>
 *   Conversations.stream(userId).pipe(
 *     RetryPolicy.provide(RetryPolicy.patient),
 *     Timeout.provide({ deadline: "1 hour" })
 *   )
 *
 * it.effect.prop(
 *   "gets through",
 *   [Arbitraries.scenario({ troubles: 1, times: 5 })],
 *   ([scenario]) => Laws.finishes(scenario, patient),
 *   { timeout: 60_000 }
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const finishes = lawOf("finished", [PipelineRun.failed])

/**
 * {@link complete}, {@link exactlyOnce} and {@link inOrder} in one run: nothing is lost, whatever the world and whatever
 * goes wrong.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.effect.prop("loses nothing", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.losesNothing(scenario, (userId) => Conversations.stream(userId))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const losesNothing = lawOf("without a loss", [
  ListComparison.missing,
  ListComparison.repeated,
  ListComparison.disordered
])

// ---- checkpoints ----

/**
 * A piece of a list with the checkpoint after it: where a later run goes on. None at the end of the list. The pages of
 * `Conversations.pages` are such pieces.
 *
 * @category models
 * @since 0.1.0
 */
export interface Piece<Checkpoint> {
  readonly conversations: ReadonlyArray<Result>
  readonly next: Option.Option<Checkpoint>
}

/**
 * A pipeline that can be interrupted: from the beginning, or from a checkpoint of an earlier run.
 *
 * @category models
 * @since 0.1.0
 */
export type ResumablePipeline<Checkpoint, E> = (
  userId: string,
  from: Checkpoint | undefined
) => Stream.Stream<Piece<Checkpoint>, E, Services>

/**
 * Interrupted after any piece (each of the first 8, then further apart) and started again from its checkpoint, the
 * pipeline gives exactly the rest: both runs together are complete and give nothing twice.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.effect.prop("goes on where it stopped", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.resumes(scenario, (userId, from) => Conversations.pages(userId, { pageSize: 100, from }))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const resumes = Effect.fnUntraced(function* <E, Checkpoint = Cursor.Cursor>(
  scenario: Scenario,
  pipeline: ResumablePipeline<Checkpoint, E>,
  options?: Options
): Effect.fn.Return<void, LawBroken> {
  for (let stop = 0; ; stop = stop < everyStop ? stop + 1 : Math.ceil(stop * 1.5)) {
    const pieces = new Map<string, number>()
    const interrupted: Pipeline<E> = (userId) => {
      const first = pipeline(userId, undefined)
      if (stop === 0) return flat(first)
      let taken = 0
      let checkpoint: Option.Option<Checkpoint> = Option.none()
      const before = Stream.take(first, stop).pipe(
        Stream.tap((piece) =>
          Effect.sync(() => {
            pieces.set(userId, ++taken)
            checkpoint = piece.next
          })
        )
      )
      const after = Stream.suspend(() =>
        Option.isSome(checkpoint) ? pipeline(userId, checkpoint.value) : Stream.empty
      )
      return flat(Stream.concat(before, after))
    }
    const broken = lawOf(stop === 0 ? "complete" : `resumed after piece ${stop}`, [
      ListComparison.missing,
      ListComparison.repeated
    ])
    yield* broken(scenario, interrupted, options)
    if (stop > 0 && [...pieces.values()].every((count) => count < stop)) return
  }
})

/** After each of the first pieces; then further and further apart, so that a list of 1000 pieces ends too. */
const everyStop = 8

const flat = Stream.flatMap((piece: Piece<unknown>) => Stream.fromIterable(piece.conversations))

// ---- the service's side ----

/** So many runs at once go over any quota of 20 calls a second that is not kept. */
const crowd = 45

/** Lists in the crowd are so long at most: pages of one conversation each are enough calls. */
const crowdList = 20

/**
 * The pipeline, run for a crowd of users at once, makes no call that the service rejects for going too fast. The emulator
 * counts as strictly as the documentation can be read: at most 20 calls in any second.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.effect.prop("keeps to the quota", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.respectsQuota(scenario, (userId) => Conversations.stream(userId))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const respectsQuota = Effect.fnUntraced(function* <E>(
  scenario: Scenario,
  pipeline: Pipeline<E>
): Effect.fn.Return<void, LawBroken> {
  const { faults, reading, seed } = scenario
  const { apps, strangers, users } = scenario.world
  const world = new TestWorld(
    { apps, users: users.map((user) => ({ ...user, conversations: user.conversations.slice(0, crowdList) })) },
    strangers
  )
  const smaller = new Scenario({ world, faults, reading, seed })
  const userIds = Array.from({ length: crowd }, (_, i) => world.userIds[i % world.userIds.length] ?? "nobody")
  const observation = yield* PipelineRun.observe(smaller, pipeline, { userIds })
  const rejected = observation.journal.filter(
    (entry) => Journal.isRateLimited(entry) && !entry.faults.some((fault) => fault.includes("660300005"))
  )
  const peak = Journal.peak(observation.journal, "1 second")
  yield* judge("within the quota", [
    ...(rejected.length === 0
      ? []
      : [`the service rejected ${InWords.count(rejected.length, "call")}: up to ${peak} came in one second, 20 may`]),
    ...problemsOf(observation, [PipelineRun.unended])
  ])
})

/**
 * Nothing that comes out of the pipeline holds the server secret, a signature or a nonce of a request, or ten characters
 * in a row of one: no result, error (with all it carries), log line at any level, span, metric or line on Effect's
 * console.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.effect.prop("keeps its secrets", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.keepsSecrets(scenario, (userId) => Conversations.stream(userId))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const keepsSecrets = Effect.fnUntraced(function* <E>(
  scenario: Scenario,
  pipeline: Pipeline<E>
): Effect.fn.Return<void, LawBroken> {
  const listening = SecretLeaks.listen()
  const observation = yield* PipelineRun.observe(scenario, pipeline, { around: listening.around })
  yield* judge("secret", [...listening.leaks(observation), ...problemsOf(observation, [PipelineRun.unended])])
})
