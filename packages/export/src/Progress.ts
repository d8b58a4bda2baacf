/**
 * What an export tells while it runs: events, and numbers made of them.
 *
 * @since 0.1.0
 */
import { QueryConversationList } from "@effect-zim/protocol"
import { Telemetry } from "@effect-zim/client"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import { type Counts, noCounts } from "./Checkpoint.ts"
import type { Exported, Failed } from "./ExportSink.ts"
import { assertInRange } from "./internal/refusals.ts"

/**
 * - `Started`: the sink is open. `isResumed` tells whether the counts are those of an earlier session.
 * - `UserExported`, `UserFailed`: what became of a line; it has been saved.
 * - `Saved`: the counts after a step that can no longer be lost.
 * - `Finished`: all users are done. `wasFinished` tells that they had been before.
 * - `Stopped`: it was asked to stop, and can be resumed.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly _tag: "Started"; readonly isResumed: boolean; readonly run: string; readonly counts: Counts }
  | ({ readonly _tag: "UserExported"; readonly conversations: number } & Pick<Exported, "line" | "userId" | "verdict">)
  | ({ readonly _tag: "UserFailed" } & Omit<Failed, "_tag">)
  | { readonly _tag: "Saved"; readonly counts: Counts }
  | { readonly _tag: "Finished"; readonly wasFinished: boolean; readonly counts: Counts }
  | { readonly _tag: "Stopped"; readonly counts: Counts }

/**
 * How an export is getting on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Status {
  readonly counts: Counts
  /** Lines that were done in this session. */
  readonly linesNow: number
  readonly elapsed: Duration.Duration
  /** Requests of this session, and of the last seconds. */
  readonly calls: number
  readonly callsPerSecond: number
  /** Requests that the service rejected as too many. */
  readonly rejections: number
  /** Requests that were made again. */
  readonly retries: number
  /** None where the number of lines is not known, and in the first moments. */
  readonly timeLeft: Option.Option<Duration.Duration>
}

/**
 * Makes numbers of events.
 *
 * @category models
 * @since 0.1.0
 */
export interface Meter {
  readonly add: (event: Event) => Effect.Effect<void>
  readonly status: Effect.Effect<Status>
}

/** What the clients of this process have counted. */
const requests = Effect.map(Metric.snapshot, (metrics) => {
  const sum = (id: string, wanted: (outcome: string) => boolean): number =>
    metrics.reduce(
      (sum, metric) =>
        metric.id === id &&
        metric.type === "Counter" &&
        metric.attributes?.["zim.action"] === QueryConversationList.operation.action &&
        wanted(metric.attributes["outcome"] ?? "")
          ? sum + Number(metric.state.count)
          : sum,
      0
    )
  const isFailure = (outcome: string) => outcome !== "Success" && outcome !== "Interrupted"
  const attempts = Telemetry.attempts.id
  return {
    calls: sum(attempts, () => true),
    rejections: sum(attempts, (outcome) => outcome === "RateLimited" || outcome === "Throttled"),
    // Every attempt that failed was made again, but the last one of a call that failed.
    retries: Math.max(0, sum(attempts, isFailure) - sum(Telemetry.calls.id, isFailure))
  }
})

interface Sample {
  readonly at: number
  readonly calls: number
}

/** How far back the pace is measured, in milliseconds: the time left for long, calls per second for show. */
const horizons = { timeLeft: 120_000, show: 5_000 }

/** How often a sample is kept, in milliseconds, at the most. */
const sampleEvery = 200

/** Calls per second over the horizon, or since the first sample; over a second at least, since calls come in bursts. */
const paceOf = (samples: ReadonlyArray<Sample>, now: Sample, horizon: number): number => {
  const first = samples.findLast(({ at }) => at <= now.at - horizon) ?? samples[0]
  return first === undefined ? 0 : ((now.calls - first.calls) * 1000) / Math.max(1000, now.at - first.at)
}

/**
 * The same to be shown: over whole seconds, since a quota lets through so many in each, and all of them may come at its
 * beginning.
 */
const shownPaceOf = (samples: ReadonlyArray<Sample>, now: Sample, horizon: number): number => {
  const earlier = samples.filter(({ at }) => at < now.at)
  const first = earlier.find(({ at }) => at >= now.at - horizon) ?? earlier.at(-1)
  return first === undefined ? 0 : (now.calls - first.calls) / Math.ceil((now.at - first.at) / 1000)
}

/**
 * A meter. `lines` is how many the input has, where that is known; the time left is told with it. `callsPerSecond` is the
 * quota; default: 20.
 *
 * @example
 * ```ts
 * import { Export, Progress, type ExportSink, UserList } from "@effect-zim/export"
 * import { Console, Effect, Schedule, Stream } from "effect"
 *
 * const program = (sink: ExportSink.ExportSink) =>
 *   Effect.gen(function* () {
 *     const meter = yield* Progress.meter({ lines: yield* UserList.count("users.txt") })
 *     const show = Effect.flatMap(meter.status, ({ counts, timeLeft }) => Console.log(counts.users, timeLeft))
 *     yield* Effect.forkScoped(Effect.repeat(show, Schedule.spaced("5 seconds")))
 *     yield* Stream.runForEach(Export.run(UserList.file("users.txt"), { sink }), meter.add)
 *   }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const meter = (options?: {
  readonly lines?: number | undefined
  readonly callsPerSecond?: number | undefined
}): Effect.Effect<Meter> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const before = yield* requests
    const millis = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    const startedAt = millis()
    const limit = options?.callsPerSecond ?? QueryConversationList.operation.callsPerSecond
    assertInRange("the meter's callsPerSecond", limit, limit > 0, "a number above 0")
    const lines = options?.lines ?? 0
    assertInRange("the meter's lines", lines, Number.isSafeInteger(lines) && lines >= 0, "a whole number, 0 or more")
    const samples: Array<Sample> = [{ at: startedAt, calls: 0 }]
    let counts = noCounts
    let countsBefore = noCounts

    /** From the calls that are left: they are what the quota allows so many of. */
    const timeLeftOf = (now: Sample): Option.Option<Duration.Duration> => {
      if (options?.lines === undefined) return Option.none()
      const left = options.lines - counts.lines
      if (left <= 0) return Option.some(Duration.zero)
      // The first window of a quota is used up at once: the pace seems faster than it can stay.
      const pace = Math.min(limit, paceOf(samples, now, horizons.timeLeft))
      if (pace === 0 || counts.lines === countsBefore.lines || now.at - startedAt < 1000) return Option.none()
      const underWay = Math.max(0, now.calls - (counts.calls - countsBefore.calls))
      const calls = (left * counts.calls) / counts.lines
      // The next of them are due within a second: half a second on average, where they come in bursts.
      return Option.some(Duration.seconds(Math.max(0, (calls - underWay) / pace - 0.5)))
    }

    const isSampleDue = () => millis() - (samples.at(-1)?.at ?? 0) >= sampleEvery
    const measure = Effect.map(requests, (all) => {
      const made = Record.map(all, (count, name) => Math.max(0, count - before[name]))
      const now: Sample = { at: millis(), calls: made.calls }
      if (isSampleDue()) samples.push(now)
      while ((samples[1]?.at ?? now.at) < now.at - horizons.timeLeft) samples.shift()
      return { made, now }
    })

    return {
      add: (event) =>
        Effect.suspend(() => {
          if ("counts" in event) {
            counts = event.counts
            if (event._tag === "Started") countsBefore = counts
          }
          // Between two looks at the status, too.
          return isSampleDue() ? Effect.asVoid(measure) : Effect.void
        }),
      status: Effect.map(measure, ({ made, now }) => ({
        counts,
        linesNow: counts.lines - countsBefore.lines,
        elapsed: Duration.millis(now.at - startedAt),
        ...made,
        callsPerSecond: shownPaceOf(samples, now, horizons.show),
        timeLeft: timeLeftOf(now)
      }))
    }
  })
