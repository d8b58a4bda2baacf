/**
 * Where exports are kept: their users, how far they are, and the rows that they have read. `SqlStore` is one in PostgreSQL,
 * `MemoryStore` one for tests.
 *
 * @since 0.1.0
 */
import type { Checkpoint, ExportSink } from "@effect-zim/export"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { DurableExport, Settings, State } from "./DurableExport.ts"

/**
 * The store did not answer, or refused: `problem` says what. Nothing has been changed, or all of it has.
 *
 * @category errors
 * @since 0.1.0
 */
export class StoreFailed extends Schema.TaggedError<StoreFailed>("@effect-zim/durable/StoreFailed")("StoreFailed", {
  problem: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `the store of exports failed: ${this.problem}`
  }
}

/**
 * What somebody wants to have exported.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submission {
  readonly name: string
  readonly appId: number
  readonly settings: Settings
}

/**
 * What became of a submission: the same name, app and lines again are the same export.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submitted {
  readonly id: string
  readonly isNew: boolean
}

/**
 * A batch that somebody reads. Who takes it after that makes every earlier lease of it void.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lease {
  readonly id: string
  readonly batch: number
  readonly epoch: number
}

/**
 * A batch: its lines, each with its number in the whole export, and how far it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch {
  readonly lease: Lease
  readonly lines: ReadonlyArray<{ readonly line: number; readonly text: string }>
  /** Nothing where it has not been begun. */
  readonly checkpoint: Checkpoint.Checkpoint | undefined
  /** A user of the export whose list was saved, if there is one. */
  readonly witness: string | undefined
}

/**
 * Why a state is changed: the problem that is to be told, and which attempt has had it. An earlier one changes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Why {
  readonly attempt?: number | undefined
  readonly problem?: DurableExport["problem"]
}

/**
 * What a save has come to: it stands, or somebody else has taken the batch and nothing was written.
 *
 * @category models
 * @since 0.1.0
 */
export type Saved = "Saved" | "Superseded"

/**
 * A store of exports. What it promises: `submit`, `save` and `end` are done wholly or not at all, whoever dies.
 *
 * @example
 * ```ts
 * import { ExportStore } from "@effect-zim/durable"
 * import { Effect, Stream } from "effect"
 *
 * const failures = (id: string) => Stream.unwrap(Effect.map(ExportStore.ExportStore, (store) => store.failures(id)))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class ExportStore extends Context.Service<
  ExportStore,
  {
    /** Takes lines in, to be read from now on. */
    readonly submit: <E, R>(
      submission: Submission,
      lines: Stream.Stream<string, E, R>
    ) => Effect.Effect<Submitted, E | StoreFailed, R>
    readonly find: (id: string) => Effect.Effect<Option.Option<DurableExport>, StoreFailed>
    /** Whether this attempt of it is still to be read now. */
    readonly isRunning: (id: string, attempt: number) => Effect.Effect<boolean, StoreFailed>
    /** All of them, the latest first. */
    readonly list: Effect.Effect<ReadonlyArray<DurableExport>, StoreFailed>
    /** Lines that came to nothing, ascending. */
    readonly failures: (id: string) => Stream.Stream<ExportSink.Failed, StoreFailed>
    /** Changes the state, where it is one of these. One that is ended and runs again is another attempt. Says whether it was. */
    readonly change: (
      id: string,
      from: ReadonlyArray<State>,
      to: State,
      why?: Why
    ) => Effect.Effect<boolean, StoreFailed>
    /** Notes why it waits; the next save takes that back. */
    readonly report: (id: string, problem: DurableExport["problem"]) => Effect.Effect<void, StoreFailed>
    /** Attempts that run and that nobody has started yet. */
    readonly unstarted: Effect.Effect<ReadonlyArray<{ readonly id: string; readonly attempt: number }>, StoreFailed>
    readonly started: (id: string, attempt: number) => Effect.Effect<void, StoreFailed>
    /** The first so many batches that are not done; none at all where that attempt no longer runs, and is not paused. */
    readonly remaining: (
      id: string,
      attempt: number,
      atMost: number
    ) => Effect.Effect<Option.Option<ReadonlyArray<number>>, StoreFailed>
    readonly take: (id: string, batch: number, worker: string) => Effect.Effect<Batch, StoreFailed>
    /** Writes what became of lines, and the batch's checkpoint: both or neither. */
    readonly save: (
      lease: Lease,
      outcomes: ReadonlyArray<ExportSink.Outcome>,
      checkpoint: Checkpoint.Checkpoint
    ) => Effect.Effect<Saved, StoreFailed>
  }
>()("@effect-zim/durable/ExportStore") {}
