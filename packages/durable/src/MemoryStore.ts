/**
 * A store of exports in memory, for tests: gone with the process.
 *
 * @since 0.1.0
 */
import { Checkpoint, type ExportSink, UserList } from "@effect-zim/export"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Num from "effect/Number"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Stream from "effect/Stream"
import { type DurableExport, isEnded, type State } from "./DurableExport.ts"
import { ExportStore, type Lease, type Submission, type Why } from "./ExportStore.ts"
import * as SubmittedLines from "./internal/submittedLines.ts"

/**
 * A store in memory, and the lists that exports have written to it.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryStore {
  readonly store: ExportStore["Service"]
  /** The lists of an app's users, by their ids, as they were read last. */
  readonly lists: (appId: number) => ReadonlyMap<string, ExportSink.Exported>
}

/** The time by which pace and workers are told, in milliseconds. */
const lastMinute = 60_000

interface KeptBatch extends SubmittedLines.Range {
  epoch: number
  checkpoint: Checkpoint.Checkpoint | undefined
  worker: string
  savedAt: number
}

/** The failures of those whose user came before. */
const duplicatesOf = (lines: ReadonlyArray<string>) => {
  const seen = new Set<string>()
  return lines.flatMap((text, i) => {
    if (seen.has(text)) return Option.isNone(UserList.check(text)) ? [SubmittedLines.duplicate(i + 1, text)] : []
    seen.add(text)
    return []
  })
}

class Kept extends Data.Class<{
  readonly id: string
  readonly run: number
  readonly submission: Submission
  readonly lines: ReadonlyArray<string>
  readonly submittedAt: DateTime.Utc
}> {
  state: State = "Running"
  attempt = 1
  startedAttempt = 0
  endedAt: DateTime.Utc | undefined
  problem: DurableExport["problem"]
  witness: string | undefined
  readonly saves: Array<{ readonly at: number; readonly calls: number }> = []
  readonly batches: ReadonlyArray<KeptBatch> = SubmittedLines.divide(this.lines.length).map((range) => ({
    ...range,
    epoch: 0,
    checkpoint: undefined,
    worker: "",
    savedAt: -Infinity
  }))
  readonly failed: Array<ExportSink.Failed> = duplicatesOf(this.lines)
  readonly duplicates: ReadonlySet<number> = new Set(this.failed.map(({ line }) => line))

  of({ from, to }: SubmittedLines.Range): ReadonlyArray<{ readonly line: number; readonly text: string }> {
    return this.lines
      .slice(from - 1, to)
      .map((text, i) => ({ line: from + i, text }))
      .filter(({ line }) => !this.duplicates.has(line))
  }

  /** Whether it was in one of these states, and of this attempt. */
  change(now: DateTime.Utc, from: ReadonlyArray<State>, to: State, { attempt = this.attempt, problem }: Why): boolean {
    if (!from.includes(this.state) || attempt !== this.attempt) return false
    if (isEnded(this) && to === "Running") this.attempt++
    this.state = to
    this.problem = problem
    this.endedAt = isEnded(this) ? now : undefined
    return true
  }

  /** Whether the batch was still of this lease. */
  save(now: number, batch: KeptBatch, { epoch }: Lease, checkpoint: Checkpoint.Checkpoint): boolean {
    if (batch.epoch !== epoch) return false
    this.saves.push({ at: now, calls: checkpoint.counts.calls - (batch.checkpoint?.counts.calls ?? 0) })
    batch.checkpoint = checkpoint
    batch.savedAt = now
    this.problem = undefined
    this.witness = checkpoint.witness ?? this.witness
    return true
  }

  view(now: number): DurableExport {
    const { duplicates, endedAt, problem } = this
    const done = this.batches.map(({ checkpoint }) => checkpoint?.counts ?? Checkpoint.noCounts)
    const saves = this.saves.filter(({ at }) => at > now - lastMinute)
    const calls = saves.reduce((sum, { calls }) => sum + calls, 0)
    const seconds = Math.max(1, (now - (saves[0]?.at ?? now)) / 1000)
    const working = Map.groupBy(
      this.batches.filter(({ checkpoint, savedAt }) => !checkpoint?.isFinished && savedAt > now - lastMinute),
      ({ worker }) => worker
    )
    return {
      id: this.id,
      ...this.submission,
      state: this.state,
      attempt: this.attempt,
      run: this.run,
      submittedAt: this.submittedAt,
      ...(endedAt === undefined ? {} : { endedAt }),
      lines: this.lines.length,
      counts: done.reduce((sums, counts) => Record.union(sums, counts, Num.sum), {
        ...Checkpoint.noCounts,
        lines: duplicates.size,
        duplicates: duplicates.size
      }),
      batches: {
        total: this.batches.length,
        finished: this.batches.filter(({ checkpoint }) => checkpoint?.isFinished).length
      },
      callsPerSecond: calls / seconds,
      workers: Array.from(working, ([name, batches]) => ({ name, batches: batches.length })),
      ...(problem === undefined ? {} : { problem })
    }
  }
}

/**
 * A store in memory.
 *
 * @example
 * ```ts
 * import { Exports, ExportStore, MemoryStore } from "@effect-zim/durable"
 * import { Effect, Stream } from "effect"
 *
 * const test = Effect.gen(function* () {
 *   const { lists, store } = yield* MemoryStore.make
 *   const submitted = Exports.submit(Stream.make("ada", "grace"), { name: "nightly", appId: 1234567890 })
 *   yield* Effect.provideService(submitted, ExportStore.ExportStore, store)
 *   return lists(1234567890)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<MemoryStore> = Effect.sync(() => {
  const exports = new Map<string, Kept>()
  const ids = new Map<string, string>()
  const apps = new Map<number, Map<string, ExportSink.Exported>>()
  const lists = (appId: number) => {
    const known = apps.get(appId) ?? new Map<string, ExportSink.Exported>()
    apps.set(appId, known)
    return known
  }
  /** What only workers ask for is there. */
  const kept = (id: string) => Effect.fromNullishOr(exports.get(id)).pipe(Effect.orDie)
  const batchOf = Effect.fnUntraced(function* ({ batch, id }: Pick<Lease, "id" | "batch">) {
    const of = yield* kept(id)
    return { of, one: yield* Effect.orDie(Effect.fromNullishOr(of.batches[batch])) }
  })

  const store: ExportStore["Service"] = {
    submit: Effect.fnUntraced(function* (submission, lines) {
      const all = yield* Stream.runCollect(lines)
      const { appId, name } = submission
      const key = JSON.stringify([appId, name, all])
      const known = ids.get(key)
      if (known !== undefined) return { id: known, isNew: false }
      const id = `${name}-${ids.size + 1}`
      ids.set(key, id)
      exports.set(id, new Kept({ id, run: exports.size + 1, submission, lines: all, submittedAt: yield* DateTime.now }))
      return { id, isNew: true }
    }),
    find: (id) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        Option.map(Option.fromNullishOr(exports.get(id)), (of) => of.view(now))
      ),
    isRunning: (id, attempt) =>
      Effect.sync(() => {
        const of = exports.get(id)
        return of?.state === "Running" && of.attempt === attempt
      }),
    list: Effect.map(Clock.currentTimeMillis, (now) =>
      Array.from(exports.values(), (of) => of.view(now)).toSorted((a, b) => b.run - a.run)
    ),
    failures: (id) =>
      Stream.fromIterableEffect(Effect.map(kept(id), ({ failed }) => failed.toSorted((a, b) => a.line - b.line))),
    change: (id, from, to, why = {}) =>
      Effect.map(DateTime.now, (now) => exports.get(id)?.change(now, from, to, why) ?? false),
    report: (id, problem) =>
      Effect.map(kept(id), (of) => {
        if (!isEnded(of)) of.problem = problem
      }),
    unstarted: Effect.sync(() =>
      [...exports.values()].filter(
        ({ attempt, startedAttempt, state }) => !isEnded({ state }) && startedAttempt < attempt
      )
    ),
    started: (id, attempt) =>
      Effect.map(kept(id), (of) => {
        of.startedAttempt = attempt
      }),
    remaining: (id, attempt, atMost) =>
      Effect.map(kept(id), (of) =>
        of.attempt === attempt && !isEnded(of)
          ? Option.some(of.batches.flatMap(({ checkpoint }, i) => (checkpoint?.isFinished ? [] : [i])).slice(0, atMost))
          : Option.none()
      ),
    take: Effect.fnUntraced(function* (id, batch, worker) {
      const { of, one } = yield* batchOf({ id, batch })
      one.worker = worker
      const { checkpoint } = one
      return { lease: { id, batch, epoch: ++one.epoch }, lines: of.of(one), checkpoint, witness: of.witness }
    }),
    save: Effect.fnUntraced(function* (lease, outcomes, checkpoint) {
      const { of, one } = yield* batchOf(lease)
      if (!of.save(yield* Clock.currentTimeMillis, one, lease, checkpoint)) return "Superseded"
      for (const outcome of outcomes) {
        if (outcome._tag === "Failed") of.failed.push(outcome)
        else lists(of.submission.appId).set(outcome.userId, outcome)
      }
      return "Saved"
    })
  }
  return { store, lists }
})

/**
 * A store in memory, as a layer.
 *
 * @example
 * ```ts
 * import { Exports, MemoryStore } from "@effect-zim/durable"
 * import { Effect } from "effect"
 *
 * const none = Effect.provide(Exports.list, MemoryStore.layer)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ExportStore> = Layer.effect(
  ExportStore,
  Effect.map(make, ({ store }) => store)
)
