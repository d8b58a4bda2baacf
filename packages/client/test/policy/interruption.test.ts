/** Interruption at each single step of a call: nothing is left behind, wherever it was. */
import { CircuitBreaker, Quota, Telemetry } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as FakeService from "../fakeService.ts"
import * as SpanRecorder from "../spanRecorder.ts"
import { layer, read } from "./support.ts"

const busy = FakeService.code(1)
const page = new TextEncoder().encode(`{"Code":0,"Message":"success","RequestId":"1","Next":0,"List":[]}`)

/** A scheduler that makes whoever takes the nth step wait, and does something then. */
const stopping = (n: number, then: () => void) => {
  const scheduler = new Scheduler.MixedScheduler()
  let steps = 0
  return {
    isOver: () => steps < n,
    scheduler: {
      executionMode: scheduler.executionMode,
      makeDispatcher: () => scheduler.makeDispatcher(),
      shouldYield: () => {
        if (++steps !== n) return false
        then()
        return true
      }
    } satisfies Scheduler.Scheduler
  }
}

/** A service that is busy once and then sends a page bit by bit; how many of its answers are under way. */
const serving = () => {
  let underWay = 0
  const service = FakeService.make((_, index) =>
    Effect.suspend(() => {
      let began = 0
      const answer = Effect.suspend(() => {
        underWay += ++began
        const body = Stream.mapEffect(Stream.make(page.slice(0, 9), page.slice(9)), (bit) =>
          Effect.as(FakeService.settle, bit)
        )
        return Effect.as(Effect.yieldNow, index === 0 ? busy : FakeService.chunks(body))
      })
      return Effect.onExitPrimitive(answer, () => void (underWay -= began))
    })
  )
  return { service, underWay: () => underWay }
}

const builtIn = Layer.merge(Quota.layer(), CircuitBreaker.layer())

/** The same, and none of the client's own any more. */
const own = Layer.merge(
  Layer.effect(
    Quota.Quota,
    Effect.map(Quota.make(), (quota) => ({ ...quota }))
  ),
  Layer.effect(
    CircuitBreaker.CircuitBreaker,
    Effect.map(CircuitBreaker.make(), (breaker) => ({ ...breaker }))
  )
)

const interruptedAt = Effect.fnUntraced(function* (step: number, isTraced: boolean, policies: typeof builtIn) {
  const { service, underWay } = serving()
  const { spans, tracer } = SpanRecorder.make()
  let fiber: Fiber.Fiber<unknown, unknown> | undefined
  const { isOver, scheduler } = stopping(step, () => fiber?.interruptUnsafe())
  const left = yield* Effect.gen(function* () {
    const traced = isTraced ? Effect.withTracer(read, tracer) : read
    fiber = yield* Effect.forkChild(Effect.provideService(traced, Scheduler.Scheduler, scheduler))
    yield* FakeService.inTime(Fiber.await(fiber))
    const quota = yield* (yield* Quota.Quota).state
    return {
      underWay: underWay(),
      permits: (yield* Metric.value(Telemetry.permitsInUse)).value,
      queues: quota.map(({ inUse, waiting }) => ({ inUse, waiting })),
      spans: spans.filter(({ status }) => status._tag !== "Ended")
    }
  }).pipe(Effect.provide(layer(service, policies)), Effect.provideService(Metric.MetricRegistry, new Map()))
  return { left, isOver: isOver() }
})

describe("interruption at any step of a call", () => {
  it.effect.each([
    [false, "built in", builtIn],
    [true, "built in", builtIn],
    [false, "one's own", own],
    [true, "one's own", own]
  ] as const)("leaves nothing behind, traced: %s, policies: %s", ([isTraced, , policies]) =>
    Effect.gen(function* () {
      for (let step = 1; ; step++) {
        const { isOver, left } = yield* interruptedAt(step, isTraced, policies)
        const queues = left.queues.length === 0 ? [] : [{ inUse: 0, waiting: 0 }]
        assert.deepStrictEqual(left, { underWay: 0, permits: 0, queues, spans: [] }, `interrupted at step ${step}`)
        if (!isOver) continue
        assert.isAbove(step, 100)
        break
      }
    })
  )
})
