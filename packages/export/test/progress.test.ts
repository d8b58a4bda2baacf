import { ZimClient } from "@effect-zim/client"
import { Emulator, EmulatorClient, Fault, Journal } from "@effect-zim/emulator"
import { Export, Progress, type ExportSink } from "@effect-zim/export"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { app, worldOf } from "./support.ts"

const world = worldOf(Array.from({ length: 300 }, (_, i) => 3 + (i % 2)))
const users = world.users.map(({ userId }) => userId)

/** A sink that takes no time. */
const nowhere: ExportSink.ExportSink = {
  location: "nowhere",
  open: ({ initial }) => Effect.succeed({ checkpoint: initial, save: () => Effect.void, finish: () => Effect.void })
}

/** A client and a service with the quota as documented, each at its own defaults. */
const layer = (faults: ReadonlyArray<Fault.Fault>) =>
  ZimClient.layer({ ...app, serverSecret: Redacted.make(app.serverSecret), baseUrl: "http://127.0.0.1" }).pipe(
    Layer.provide(EmulatorClient.layer),
    Layer.provideMerge(Emulator.layer({ world, faults })),
    Layer.orDie
  )

interface Look extends Progress.Status {
  readonly at: number
}

/** Exports in virtual time and looks at the meter ten times a second. */
const watched = Effect.gen(function* () {
  const meter = yield* Progress.meter({ lines: users.length })
  const events = Export.run(Stream.fromIterable(users), { sink: nowhere, pageSize: 2 })
  const fiber = yield* Effect.forkChild(Stream.runForEach(events, meter.add))
  const startedAt = yield* Clock.currentTimeMillis
  const looks: Array<Look> = []
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust("100 millis")
    looks.push({ ...(yield* meter.status), at: (yield* Clock.currentTimeMillis) - startedAt })
  }
  yield* Fiber.join(fiber)
  const entries = yield* (yield* Emulator.Emulator).journal.entries
  return {
    looks,
    entries,
    took: ((entries.at(-1)?.time ?? 0) - (entries[0]?.time ?? 0)) / 1000,
    end: looks.at(-1)?.at ?? 0
  }
})

const timeLeft = ({ timeLeft }: Look): number =>
  Option.match(timeLeft, { onNone: () => NaN, onSome: Duration.toMillis })

describe("300 users of two pages at the default quota", () => {
  for (const [name, percent, faults] of [
    ["5 ms away", 97, [Fault.latency("5 millis")]],
    ["80 ms away", 94, [Fault.latencyBetween("60 millis", "100 millis")]]
  ] as const) {
    it.effect(
      `${name}: at least ${percent} % of its pace, no rejection, time left right within 10 % after the first tenth`,
      () =>
        Effect.gen(function* () {
          const { end, entries, looks, took } = yield* watched
          assert.lengthOf(entries, 600)
          assert.deepStrictEqual([...new Set(entries.map(({ code }) => code))], [0])
          assert.isAtMost(Journal.peak(entries, "1 second"), 20)
          // The first 20 calls take no time.
          const pace = (entries.length / 20 - 1) / took
          assert.isAtLeast(pace, name === "5 ms away" ? 0.97 : 0.9)
          const first = looks.find(({ counts }) => counts.lines >= 30) ?? assert.fail()
          assert.approximately(timeLeft(first), end - first.at, 0.1 * (end - first.at))
          const later = looks.filter(({ at, counts }) => counts.lines >= 30 && at < 0.9 * end)
          assert.isAbove(later.length, 200)
          for (const look of later) {
            assert.approximately(
              timeLeft(look),
              end - look.at,
              0.1 * (end - look.at) + 500,
              `at ${look.at} ms of ${end}`
            )
          }
          assert.isTrue(looks.every(({ callsPerSecond }) => callsPerSecond <= 20))
          const last = looks.at(-1)
          assert.deepInclude(last, { calls: 600, rejections: 0, retries: 0, linesNow: 300 })
          assert.strictEqual(timeLeft(last ?? assert.fail()), 0)
        }).pipe(Effect.provide(layer(faults)))
    )
  }

  it.effect("rejections and retries are counted", () =>
    Effect.gen(function* () {
      const { looks } = yield* watched
      const last = looks.at(-1)
      assert.deepInclude(last, { calls: 605, rejections: 2, retries: 5, linesNow: 300 })
    }).pipe(
      Effect.provide(
        layer([
          Fault.returnCode(660300005).pipe(Fault.when(Fault.nth(100)), Fault.times(1)),
          Fault.returnCode(7).pipe(Fault.when(Fault.nth(200)), Fault.times(1)),
          Fault.returnCode(1).pipe(Fault.when(Fault.nth(300)), Fault.times(1)),
          Fault.connectionReset.pipe(Fault.when(Fault.nth(350)), Fault.times(1)),
          Fault.truncatedBody.pipe(Fault.when(Fault.nth(400)), Fault.times(1))
        ])
      )
    )
  )
})
