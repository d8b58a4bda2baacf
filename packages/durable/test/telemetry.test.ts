/** What a worker tells of the batches that it reads: a span for each time that it reads one, and two counters. */
import { Exports, ExportStore, MemoryStore, Telemetry } from "@effect-zim/durable"
import { Fault } from "@effect-zim/emulator"
import { ZimTest } from "@effect-zim/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import * as SpanRecorder from "../../client/test/spanRecorder.ts"
import * as Cluster from "./cluster.ts"
import { runner, storage } from "./runner.ts"

// In batches of 20.
const world = Cluster.worldOf(50)
const appId = 12345

describe("telemetry", () => {
  it.live("of an export: its batches, and what was saved of them, once", () =>
    Effect.gen(function* () {
      const { store } = yield* MemoryStore.make
      const { spans, tracer } = SpanRecorder.make()
      const { counts, id } = yield* ZimTest.run(
        Effect.gen(function* () {
          const users = Stream.concat(
            Stream.fromIterable(world.users.map(({ userId }) => userId)),
            Stream.make("stranger", "not a user id: #")
          )
          const { id } = yield* Exports.submit(users, { name: "all", appId })
          return yield* Effect.provide(Exports.wait(id), runner)
        }).pipe(
          Effect.provide(storage),
          Effect.provideService(ExportStore.ExportStore, store),
          Effect.provideService(Tracer.Tracer, tracer),
          Effect.provideService(References.MinimumLogLevel, "None")
        ),
        world,
        // Calls that are made again.
        [Fault.when(Fault.httpStatus(503), Fault.first(3))]
      )

      const batches = spans.filter(({ name }) => name === "zim.export.batch")
      assert.sameMembers(
        batches.map(({ attributes }) => attributes.get("zim.batch")),
        [0, 1, 2]
      )
      for (const { attributes, status } of batches) {
        assert.deepInclude(Object.fromEntries(attributes), { "zim.export": id, "zim.app_id": appId })
        assert.strictEqual(status._tag, "Ended")
      }
      // The calls of a batch are below its span.
      const below = (span: Tracer.AnySpan | undefined): boolean =>
        span?._tag === "Span" &&
        (span.name === "zim.export.batch" || below(span.parent._tag === "Some" ? span.parent.value : undefined))
      const calls = spans.filter(({ name }) => name === "zim QueryConversationList")
      assert.isAtLeast(calls.length, counts.calls)
      assert.isTrue(calls.every(below))

      const ofApp = { "zim.app_id": `${appId}` }
      const valueOf = (metric: Metric.Counter<number>) =>
        Effect.map(Metric.value(Metric.withAttributes(metric, ofApp)), ({ count }) => count)
      assert.strictEqual(yield* valueOf(Telemetry.lines), counts.lines)
      assert.strictEqual(counts.lines, 52)
      assert.strictEqual(yield* valueOf(Telemetry.conversations), counts.conversations)
      assert.isAbove(counts.conversations, 0)

      const said = inspect([spans.map(({ attributes, events }) => [attributes, events]), yield* Metric.snapshot], {
        depth: 10
      })
      assert.notInclude(said, Cluster.secret)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})
