/**
 * The export as a workflow, on any engine of Effect's: its batches are child workflows, which any runner of the cluster may
 * take. A batch that was interrupted goes on from its checkpoint, wherever that is.
 *
 * @since 0.1.0
 */
import { Checkpoint, Export } from "@effect-zim/export"
import * as Singleton from "effect/cluster/Singleton"
import type * as Sharding from "effect/cluster/Sharding"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import type * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import type { Apps } from "./Apps.ts"
import { State } from "./DurableExport.ts"
import { ExportStore } from "./ExportStore.ts"
import * as ReadBatch from "./internal/readBatch.ts"
import { whileAway } from "./internal/whileStoreIsAway.ts"

/**
 * What this worker calls itself in the store: default, `worker`.
 *
 * @example
 * ```ts
 * import { ExportWorkflow } from "@effect-zim/durable"
 * import { Layer } from "effect"
 *
 * const named = ExportWorkflow.layer.pipe(Layer.provide(Layer.succeed(ExportWorkflow.WorkerName, "rack-7")))
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const WorkerName = ReadBatch.WorkerName

/**
 * An export that ended before it was finished: it failed, or somebody has cancelled it.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExportEnded extends Schema.TaggedError<ExportEnded>("@effect-zim/durable/ExportEnded")("ExportEnded", {
  id: Schema.String,
  state: State,
  problem: Schema.optionalKey(Schema.Struct({ error: Schema.String, message: Schema.String }))
}) {
  override get message(): string {
    return `the export ${this.id} is ${this.state.toLowerCase()}${this.problem ? `: ${this.problem.message}` : ""}`
  }
}

/**
 * Reads one batch. Its result is whether it is done, or its export has ended otherwise.
 *
 * @category constants
 * @since 0.1.0
 */
export const BatchWorkflow = Workflow.make("@effect-zim/durable/Batch", {
  payload: { id: Schema.String, attempt: Schema.Int, batch: Schema.Int },
  success: Schema.Literals(["Done", "Ended"]),
  idempotencyKey: ({ attempt, batch, id }) => `${id}/${attempt}/${batch}`
})

/**
 * Reads all batches of an export, and ends with what has been done.
 *
 * @category constants
 * @since 0.1.0
 */
export const ExportWorkflow = Workflow.make("@effect-zim/durable/Export", {
  payload: { id: Schema.String, attempt: Schema.Int },
  success: Checkpoint.Counts,
  error: ExportEnded,
  idempotencyKey: ({ attempt, id }) => `${id}/${attempt}`
})

const batches = BatchWorkflow.toLayer((task) =>
  Activity.make({ name: "read", success: BatchWorkflow.successSchema, execute: ReadBatch.run(task) })
)

/** How soon the next batch is begun when one is done: meanwhile the others have the quota. */
const attention = "200 millis"

/**
 * Begins batches, so many at a time, until all are done or the attempt has ended. The store tells what is done, and no
 * batch its parent: where a runner gives a shard away, a parent that its children wake does not end, and the runner takes
 * and gives no shard any more (Effect 4.1.0, decision 34).
 */
const begin = Effect.fnUntraced(function* (id: string, attempt: number, atOnce: number) {
  const store = yield* ExportStore
  const begun = new Set<number>()
  for (;;) {
    const remaining = yield* whileAway(store.remaining(id, attempt, atOnce))
    if (Option.isNone(remaining)) return false
    if (remaining.value.length === 0) return true
    for (const batch of remaining.value) {
      if (begun.has(batch)) continue
      yield* BatchWorkflow.execute({ id, attempt, batch }, { discard: true, detached: true })
      begun.add(batch)
    }
    yield* Effect.sleep(attention)
  }
})

const whole = ExportWorkflow.toLayer(
  Effect.fnUntraced(function* ({ attempt, id }) {
    const store = yield* ExportStore
    const found = Effect.flatMap(whileAway(store.find(id)), Effect.fromOption).pipe(Effect.orDie)
    const isDone = yield* Activity.make({
      name: "batches",
      success: Schema.Boolean,
      execute: Effect.flatMap(found, ({ settings }) => begin(id, attempt, settings.batches))
    })
    return yield* Activity.make({
      name: "end",
      success: Checkpoint.Counts,
      error: ExportEnded,
      execute: Effect.gen(function* () {
        const { counts } = yield* found
        if (isDone) {
          const nobody = counts.lines > 0 && counts.users === 0 ? new Export.NobodyExported({ counts }) : undefined
          const why = { attempt, problem: nobody && { error: nobody._tag, message: nobody.message } }
          yield* whileAway(store.change(id, ["Running", "Paused"], nobody ? "Failed" : "Finished", why))
        }
        const { problem, state } = yield* found
        if (state === "Finished") return counts
        return yield* new ExportEnded({ id, state, ...(problem === undefined ? {} : { problem }) })
      })
    })
  })
)

/** Starts what was submitted, or resumed, by anybody who reaches the store: one runner of the cluster sees to it. */
const starter = Singleton.make(
  "@effect-zim/durable/starter",
  Effect.gen(function* () {
    const store = yield* ExportStore
    for (const { attempt, id } of yield* whileAway(store.unstarted)) {
      yield* ExportWorkflow.execute({ id, attempt }, { discard: true })
      yield* whileAway(store.started(id, attempt))
    }
  }).pipe(Effect.repeat(Schedule.spaced("1 second")), Effect.asVoid)
)

/**
 * What a runner of exports is: it starts what is submitted, and reads batches. With `ClusterWorkflowEngine.layer` and the
 * sharding of your choice: `TestRunner` in tests, `SingleRunner` on one machine, `NodeClusterSocket` on several.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Apps, ExportWorkflow, MemoryStore } from "@effect-zim/durable"
 * import { Layer } from "effect"
 * import { ClusterWorkflowEngine, TestRunner } from "effect/cluster"
 * import { FetchHttpClient } from "effect/http"
 *
 * const runner = ExportWorkflow.layer.pipe(
 *   Layer.provideMerge(ClusterWorkflowEngine.layer),
 *   Layer.provideMerge(TestRunner.layer),
 *   Layer.provide(Apps.layerClient.pipe(Layer.provide(ZimClient.layerConfig()), Layer.provide(FetchHttpClient.layer))),
 *   Layer.provideMerge(MemoryStore.layer)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never, never, WorkflowEngine.WorkflowEngine | Sharding.Sharding | ExportStore | Apps> =
  Layer.mergeAll(batches, whole, starter)
