import { Emulator, EmulatorClient, Fault, Journal, ServiceQuota, ServiceClock, World } from "@effect-zim/emulator"
import { ServerSecret, Signature, SignatureNonce } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { gunzipSync } from "node:zlib"
import { appId, ask, codeOf, envelopeOf, groups, page, parts, secret, send, worldOf } from "./support.ts"

const world = worldOf({ u1: groups(10), u2: [] })
const provide = (options?: Partial<Emulator.Options>) => Effect.provide(Emulator.layer({ world, ...options }))
const u1 = { FromUserId: "u1", Limit: 4 }

describe("snapshot, restore, reset", () => {
  it.effect("a snapshot brings all settings back; cursors stay good", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const before = yield* emulator.snapshot
      const { Next } = yield* page(u1)
      yield* emulator.world.update(World.removeConversation({ ConvId: "g5", ConvType: 2 }))
      yield* emulator.faults.set([Fault.hang])
      yield* emulator.quota.set(ServiceQuota.sliding({ limit: 0 }))
      yield* emulator.clock.set(ServiceClock.skewed("1 hour"))
      yield* emulator.reading.update((reading) => ({ ...reading, totalCount: "Absent" }))
      yield* emulator.restore(before)
      assert.deepStrictEqual(yield* emulator.snapshot, before)
      const { List, TotalCount } = yield* page({ ...u1, Next })
      assert.strictEqual(List?.[0]?.ConvId, "g5")
      assert.strictEqual(TotalCount, 10)
    }).pipe(provide())
  )

  it.effect("after a reset, the same calls get the same answers as at the start", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const run = Effect.gen(function* () {
        const answers = yield* Effect.forEach(Array.from({ length: 12 }), () => ask(u1))
        return { answers, entries: yield* emulator.journal.entries }
      }).pipe(Effect.provideService(SignatureNonce.Source, SignatureNonce.seeded(1)))
      const first = yield* run
      yield* emulator.clock.step("1 hour")
      yield* emulator.world.set(worldOf({}))
      yield* emulator.faults.set([])
      yield* emulator.reset
      assert.deepStrictEqual(yield* emulator.journal.entries, [])
      assert.deepStrictEqual(yield* run, first)
      assert.isTrue(first.answers.some(({ code }) => code === 1))
      assert.isTrue(first.answers.some(({ code }) => code === 660300005))
    }).pipe(
      provide({
        quota: ServiceQuota.sliding({ limit: 5 }),
        faults: [Fault.when(Fault.returnCode(1), Fault.probability(0.3))]
      })
    )
  )
})

describe("the admin side says why, the answer does not", () => {
  const reasons = Effect.gen(function* () {
    const { journal } = yield* Emulator.Emulator
    return (yield* journal.entries).map(({ reason }) => reason)
  })

  it.effect("a wrong signature", () =>
    Effect.gen(function* () {
      const sent = yield* parts({ FromUserId: "u1" })
      const signed = (Signature: string) => send({ ...sent, query: { ...sent.query, Signature } })
      const answers = [
        yield* signed("0".repeat(32)),
        yield* signed(sent.query["Signature"]?.toUpperCase() ?? ""),
        yield* send({ ...sent, query: { ...sent.query, AppId: "2" } }),
        yield* send(yield* parts({ FromUserId: "u1" }, { appId: 3 }))
      ].map(envelopeOf)
      assert.deepStrictEqual(
        answers.map(({ code, message }) => [code, message]),
        Array.from({ length: 4 }, () => [100000005, answers[0]?.message])
      )
      const [first, second, third, fourth] = yield* reasons
      assert.match(first ?? "", /^secret does not match, or /)
      assert.match(second ?? "", /not in small letters/)
      assert.match(third ?? "", /^secret does not match, or /)
      assert.match(fourth ?? "", /^secret does not match: it is the one of AppId 12345$/)
    }).pipe(
      provide({
        world: World.make({
          apps: [
            { appId, serverSecret: secret },
            { appId: 2, serverSecret: "another" },
            { appId: 3, serverSecret: "a third" }
          ],
          users: [{ userId: "u1" }]
        })
      })
    )
  )

  it.effect("a nonce used again and again", () =>
    Effect.gen(function* () {
      const sent = yield* parts({ FromUserId: "u1" })
      for (let i = 0; i < 4; i++) yield* send(sent)
      const { journal } = yield* Emulator.Emulator
      const entries = yield* journal.entries
      assert.deepStrictEqual(
        entries.map(({ nonceUses, reason }) => [nonceUses, reason]),
        [
          [undefined, undefined],
          [2, "nonce reused once"],
          [3, "nonce reused 2 times"],
          [4, "nonce reused 3 times"]
        ]
      )
    }).pipe(provide({ reading: { nonceReuse: "Reject" } }))
  )

  it.effect("a nonce is remembered as long as any of its signatures is good", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const late = yield* parts({ FromUserId: "u1" }, { timestamp: 1_700_000_500 })
      const nonce = late.query["SignatureNonce"] ?? ""
      const again = Signature.signWith({
        appId,
        nonce,
        timestamp: 1_699_999_500,
        serverSecret: ServerSecret.make(secret)
      })
      const query = Object.fromEntries(new URLSearchParams(Signature.toQuery(again, "QueryConversationList")))
      assert.strictEqual(envelopeOf(yield* send(late)).code, 0)
      assert.strictEqual(envelopeOf(yield* send({ ...late, query })).code, 100000005)
      yield* TestClock.adjust("200 seconds")
      assert.strictEqual(envelopeOf(yield* send(late)).code, 100000005)
    }).pipe(provide({ reading: { nonceReuse: "Reject" } }))
  )
})

describe("the journal", () => {
  it.effect("live: every call from now on", () =>
    Effect.gen(function* () {
      const { journal } = yield* Emulator.Emulator
      yield* codeOf(u1)
      const live = yield* Effect.forkChild(Stream.runCollect(Stream.take(journal.live, 2)), { startImmediately: true })
      yield* Effect.yieldNow
      yield* codeOf(u1)
      yield* codeOf({ FromUserId: "nobody" })
      assert.deepStrictEqual([...(yield* Fiber.join(live))], (yield* journal.entries).slice(1))
    }).pipe(provide())
  )

  it.effect("live, with a reader that has fallen far behind: the oldest are lost, and calls go on", () =>
    Effect.gen(function* () {
      const { journal } = yield* Emulator.Emulator
      const gate = yield* Effect.forkChild(
        journal.live.pipe(
          Stream.tap(({ index }) => (index === 1 ? Effect.sleep("1 second") : Effect.void)),
          Stream.takeUntil(({ index }) => index === 9000),
          Stream.runCollect
        ),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      for (let i = 0; i < 9000; i++) yield* codeOf({ FromUserId: "u2" })
      yield* TestClock.adjust("1 second")
      const seen = [...(yield* Fiber.join(gate))].map(({ index }) => index)
      assert.strictEqual(seen.at(-1), 9000)
      assert.isAtLeast(seen.length, 4096)
      assert.isBelow(seen.length, 9000)
    }).pipe(provide({ quota: ServiceQuota.unlimited }))
  )

  it.effect("answers questions, in numbers too, and says which rules are broken", () =>
    Effect.gen(function* () {
      const { journal } = yield* Emulator.Emulator
      yield* TestClock.setTime(1_700_000_000_000)
      yield* codeOf(u1)
      yield* codeOf({ FromUserId: "nobody" })
      yield* TestClock.adjust("500 millis")
      const old = yield* parts(u1, { timestamp: 1_699_999_990 })
      yield* send(old)
      yield* send(old)
      const entries = yield* journal.entries
      const found = (filter: Journal.Filter) => Journal.query(entries, filter).map(({ index }) => index)
      assert.deepStrictEqual(found({}), [1, 2, 3, 4])
      assert.deepStrictEqual(found({ userId: "u1", ok: true }), [1, 3])
      assert.deepStrictEqual(found({ code: 660500002 }), [2])
      assert.deepStrictEqual(found({ fault: "returnCode" }), [4])
      assert.deepStrictEqual(found({ fault: "returnCode 1" }), [4])
      assert.deepStrictEqual(found({ fault: "return" }), [])
      assert.deepStrictEqual(found({ after: 1, latest: 2 }), [3, 4])
      assert.deepStrictEqual(found({ latest: 0 }), [])
      assert.deepStrictEqual(found({ since: 1_700_000_000_500 }), [3, 4])
      assert.deepStrictEqual(found({ until: 1_700_000_000_500, appId }), [1, 2])
      assert.deepStrictEqual(Journal.stats(entries, "400 millis"), {
        calls: 4,
        succeeded: 2,
        rateLimited: 0,
        unanswered: 0,
        codes: { 0: 2, 1: 1, 660500002: 1 },
        faults: { "returnCode 1": 1 },
        attempts: { u1: 3, nobody: 1 },
        nonceReuses: 1,
        peak: 2,
        peakAdmitted: 2,
        window: 400,
        maximumSignatureAge: 10
      })
      assert.deepStrictEqual(
        Journal.violations(entries, {
          peak: { calls: 3, window: "1 second" },
          nonceReuses: 0,
          attempts: 2,
          signatureAge: "9 seconds"
        }),
        [
          "4 calls within 1s, at most 3 are allowed",
          "1 call with a nonce used before, at most 0 are allowed",
          "3 calls for u1, at most 2 are allowed",
          "a signature was 10 s old, at most 9 s are allowed"
        ]
      )
      const kept = {
        peak: { calls: 4, window: "1 second" },
        nonceReuses: 1,
        attempts: 3,
        signatureAge: 10_000
      } as const
      assert.deepStrictEqual(Journal.violations(entries, kept), [])
      assert.deepStrictEqual(Journal.violations(entries, {}), [])
    }).pipe(provide({ faults: [Fault.when(Fault.returnCode(1), Fault.nth(4))] }))
  )
})

describe("a gzip bomb", () => {
  const bomb = (bytes: number) =>
    Effect.gen(function* () {
      const http = yield* HttpClient.HttpClient
      return yield* http.post("https://zim-api.zego.im")
    }).pipe(Effect.provide(EmulatorClient.layerWithEmulator({ world, faults: [Fault.gzipBomb(bytes)] })))

  it.live("is small on the wire, large unpacked, and JSON", () =>
    Effect.gen(function* () {
      const response = yield* bomb(20_000_000)
      assert.strictEqual(response.headers["content-encoding"], "gzip")
      const packed = new Uint8Array(yield* response.arrayBuffer)
      assert.isBelow(packed.length, 40_000)
      const text = gunzipSync(packed).toString()
      assert.isAbove(text.length, 20_000_000)
      assert.deepInclude(JSON.parse(text), { Code: 0, Next: 0 })
    })
  )

  it.effect("on top of other faults, it and a padded answer still are what they say", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      for (const before of [Fault.truncatedBody, Fault.gzipBomb(10)]) {
        yield* emulator.faults.set([before, Fault.oversizedBody(10)])
        const padded = yield* send(yield* parts(u1))
        assert.deepStrictEqual(Object.keys(padded.headers).toSorted(), ["content-type", "date"])
        yield* emulator.faults.set([before, Fault.gzipBomb(10)])
        const { headers } = yield* send(yield* parts(u1))
        assert.deepStrictEqual(Object.keys(headers).toSorted(), ["content-encoding", "content-type", "date"])
      }
    }).pipe(provide())
  )

  it.live("costs little to a reader who stops", () =>
    Effect.gen(function* () {
      const response = yield* bomb(1e12)
      const first = yield* Stream.runCollect(Stream.take(response.stream, 1))
      assert.strictEqual(first.length, 1)
    })
  )
})
