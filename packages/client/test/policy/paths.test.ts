/** The quota over several paths to the service: fail-over, clients of several regions, a path that changes. On TestClock. */
import { Quota, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import * as SharedQuota from "@effect-zim/client/SharedQuota"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as FakeService from "../fakeService.ts"
import { between, call, outcomeOf, peak, withPermit } from "../quotaOracle.ts"
import { read } from "./support.ts"

const limit = 20

/** A way to the service, in milliseconds: the least of it there and back, and what may come on top of each. */
interface Path {
  readonly out: number
  readonly back: number
  readonly jitter: number
}

/** One service that counts what arrives, over whichever path. */
const makeService = () => {
  const arrivals: Array<number> = []
  const way = (least: number, { jitter }: Path) =>
    Effect.flatMap(Random.next, (random) => Effect.sleep(Duration.millis(least + random * jitter)))
  const request = (pathNow: () => Path) =>
    Effect.gen(function* () {
      const path = pathNow()
      // What is sent is not called back by an interruption.
      const there = Effect.flatMap(way(path.out, path), () => Clock.currentTimeMillis)
      yield* Effect.forkDetach(
        Effect.map(there, (now) => arrivals.push(now)),
        { startImmediately: true }
      )
      yield* way(path.out, path)
      yield* way(path.back, path)
    })
  return { arrivals, request }
}

const ascending = (times: ReadonlyArray<number>) => times.toSorted((left, right) => left - right)

const ProcessPath = Schema.Struct({ out: between(0, 250), back: between(0, 250), jitter: between(0, 20) })

/** For so long, in milliseconds, calls mean to go to this host. Of 3 hosts. */
const Phase = Schema.Struct({ host: Schema.Literals([0, 1, 2]), lasts: Schema.Literals([100, 700, 7000, 8500]) })

const quotas = {
  "in one process": Effect.map(Quota.make({ limit }), (quota) => [quota]),
  "over a store, in two": Effect.flatMap(SharedQuota.memory, (store) =>
    Effect.replicateEffect(SharedQuota.make(store, { limit }), 2)
  )
} satisfies Record<string, Effect.Effect<ReadonlyArray<Quota.Quota["Service"]>, never, Scope.Scope>>

describe("several hosts of one service", () => {
  for (const [name, make] of Object.entries(quotas)) {
    it.effect.prop(
      `never more than the limit arrives in any window, whichever host whoever turns to: ${name}`,
      {
        paths: Arbitrary.array(Arbitrary.schema(ProcessPath), { minLength: 3, maxLength: 3 }),
        phases: Arbitrary.array(Arbitrary.schema(Phase), { minLength: 3, maxLength: 5 }),
        /** One in so many calls goes elsewhere all the same, and one in so many is given up. */
        strays: Schema.Literals([50, 1e9, 1e9]),
        abandoned: Schema.Literals([10, 1e9]),
        seed: between(0, 1e6)
      },
      ({ abandoned, paths, phases, seed, strays }) =>
        Effect.gen(function* () {
          const { arrivals, request } = makeService()
          const startedAt = yield* Clock.currentTimeMillis
          const hostAt = (now: number): number => {
            let end = startedAt
            return phases.find(({ lasts }) => now < (end += lasts))?.host ?? 0
          }
          const oneCall = (quota: Quota.Quota["Service"]) =>
            withPermit(
              quota,
              call,
              (_, goingTo) =>
                Effect.gen(function* () {
                  const now = yield* Clock.currentTimeMillis
                  const host = (hostAt(now) + ((yield* Random.next) * strays < 1 ? 1 : 0)) % 3
                  yield* goingTo?.(`host-${host}`) ?? Effect.void
                  const path = paths[host] ?? { out: 0, back: 0, jitter: 0 }
                  const sent = request(() => path)
                  yield* (yield* Random.next) * abandoned < 1 ? Effect.timeout(sent, path.out) : sent
                }),
              outcomeOf
            )
          const all = yield* make
          yield* Effect.forEach(
            Array.from({ length: 30 }, (_, i) => all[i % all.length]),
            (quota) => (quota === undefined ? Effect.void : Effect.forever(Effect.ignore(oneCall(quota)))),
            { concurrency: "unbounded" }
          ).pipe(
            Effect.timeoutOption(phases.reduce((sum, { lasts }) => sum + lasts, 2000)),
            Random.withSeed(seed),
            FakeService.inTime({ step: 1000 })
          )
          assert.isAtLeast(arrivals.length, 20)
          assert.isAtMost(peak(ascending(arrivals), 1000), limit)
        }),
      { arbitrary: { seed: 61, runs: 8 } }
    )
  }
})

/** The service in two regions, over two paths; `isUp` says whether the first one can be reached. */
const regions = (far: Path, near: Path, isUp: (now: number) => boolean) => {
  const { arrivals, request } = makeService()
  const http = HttpClient.make((sent, url) =>
    Effect.gen(function* () {
      const isFar = url.hostname.includes("-fra")
      yield* request(() => (isFar ? far : near))
      const now = yield* Clock.currentTimeMillis
      const reply =
        isFar && !isUp(now)
          ? HttpServerResponse.empty({ status: 503 })
          : HttpServerResponse.jsonUnsafe({ Code: 0, Message: "", RequestId: "1", TotalCount: 0, Next: 0, List: [] })
      return HttpServerResponse.toClientResponse(reply, { request: sent })
    })
  )
  const client = ZimClient.layer({
    appId: 12345,
    serverSecret: Redacted.make(FakeService.app.serverSecret),
    region: "fra",
    failover: ["lax"]
  }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http)), Layer.orDie)
  return { arrivals, client }
}

const callForEver = Effect.forEach(
  Array.from({ length: 40 }),
  () => Effect.forever(Effect.andThen(Effect.ignore(read), Effect.sleep(1))),
  { concurrency: "unbounded" }
).pipe(Effect.provideService(Timeout.Deadline, Duration.seconds(30)), RetryPolicy.provide(RetryPolicy.standard))

describe("a client with two regions", () => {
  it.effect("sends no more than the limit when it turns to one that is nearer", () =>
    Effect.gen(function* () {
      const startedAt = yield* Clock.currentTimeMillis
      const { arrivals, client } = regions(
        { out: 75, back: 75, jitter: 1 },
        { out: 2.5, back: 2.5, jitter: 1 },
        (now) => now - startedAt < 20_000
      )
      yield* callForEver.pipe(
        Effect.provide(client),
        Effect.timeoutOption("40 seconds"),
        Random.withSeed(1),
        FakeService.inTime({ step: 1000 })
      )
      assert.isAtLeast(arrivals.length, 600)
      assert.isAtMost(peak(ascending(arrivals), 1000), limit)
    })
  )

  it.effect.prop(
    "never sends more than the limit, wherever the regions are and whenever one of them fails",
    {
      far: ProcessPath,
      near: ProcessPath,
      /** When it fails or is back, in turn. */
      changes: Arbitrary.array(Arbitrary.schema(between(200, 15_000)), { minLength: 1, maxLength: 4 }),
      seed: between(0, 1e6)
    },
    ({ changes, far, near, seed }) =>
      Effect.gen(function* () {
        const startedAt = yield* Clock.currentTimeMillis
        const isUp = (now: number) => {
          let end = startedAt
          const passed = changes.findIndex((lasts) => now < (end += lasts))
          return (passed < 0 ? changes.length : passed) % 2 === 0
        }
        const { arrivals, client } = regions(far, near, isUp)
        yield* callForEver.pipe(
          Effect.provide(client),
          Effect.timeoutOption(changes.reduce((sum, lasts) => sum + lasts, 8000)),
          Random.withSeed(seed),
          FakeService.inTime({ step: 1000 })
        )
        assert.isAtMost(peak(ascending(arrivals), 1000), limit)
      }),
    { arbitrary: { seed: 62, runs: 8 } }
  )
})

describe("a path that gets shorter by itself", () => {
  it.effect("is noticed at once: too many arrive within a window of that moment, if at all, and never later", () =>
    Effect.gen(function* () {
      const { arrivals, request } = makeService()
      const quota = yield* Quota.make({ limit })
      const startedAt = yield* Clock.currentTimeMillis
      const shorterAt = startedAt + 20_300
      const far: Path = { out: 75, back: 75, jitter: 1 }
      const near: Path = { out: 2, back: 2, jitter: 1 }
      const one = withPermit(
        quota,
        call,
        () => Effect.flatMap(Clock.currentTimeMillis, (now) => request(() => (now < shorterAt ? far : near))),
        outcomeOf
      )
      yield* Effect.forEach(Array.from({ length: 40 }), () => Effect.forever(one), { concurrency: "unbounded" }).pipe(
        Effect.timeoutOption("40 seconds"),
        Random.withSeed(3),
        FakeService.inTime({ step: 1000 })
      )
      const times = ascending(arrivals)
      assert.isAtMost(
        peak(
          times.filter((time) => time < shorterAt),
          1000
        ),
        limit
      )
      assert.isAtMost(
        peak(
          times.filter((time) => time > shorterAt + 1000),
          1000
        ),
        limit
      )
      assert.isAtLeast(times.length, 40 * limit * 0.93)
    })
  )
})
