/** What clients share that were given nothing of their own: as in a server that provides a client to each request. */
import { ClientError, Quota, RetryPolicy, ZimClient } from "@effect-zim/client"
import { Emulator, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as FakeService from "./fakeService.ts"
import { html, page, read } from "./policy/support.ts"

/** A client for one request. */
const clientOf = (
  http: Layer.Layer<HttpClient.HttpClient>,
  options?: Partial<ZimClient.Options>
): Layer.Layer<ZimClient.ZimClient> =>
  ZimClient.layer({ ...app, baseUrl: "http://127.0.0.1:1", ...options }).pipe(Layer.provide(http), Layer.orDie)

const app = { appId: FakeService.app.appId, serverSecret: Redacted.make(FakeService.app.serverSecret) }

const emulated = (quota: ServiceQuota.ServiceQuota) =>
  EmulatorServer.layer().pipe(
    Layer.provideMerge(
      Emulator.layer({ world: World.make({ apps: [FakeService.app], users: [{ userId: "user-42" }] }), quota })
    ),
    Layer.orDie
  )

describe("a client for each of 60 requests at once, over sockets", () => {
  it.live("keeps the quota of the app: none is rejected", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const emulator = yield* Emulator.Emulator
      const client = clientOf(FetchHttpClient.layer, { baseUrl: url })
      const answered = yield* Effect.promise(() =>
        Promise.all(Array.from({ length: 60 }, () => Effect.runPromise(read.pipe(Effect.provide(client)))))
      )
      assert.strictEqual(answered.length, 60)
      const entries = yield* emulator.journal.entries
      assert.deepStrictEqual(
        entries.map(({ code }) => code),
        entries.map(() => 0)
      )
      assert.strictEqual(entries.length, 60)
    }).pipe(Effect.provide(emulated(ServiceQuota.sliding({ countRejected: true }))))
  )
})

/** How many of so many calls at once, each with a client of its own, are sent without a wait. */
const sentAtOnce = (
  clients: ReadonlyArray<(http: Layer.Layer<HttpClient.HttpClient>) => Layer.Layer<ZimClient.ZimClient>>
) =>
  Effect.gen(function* () {
    const service = FakeService.answering(page)
    yield* Effect.forkScoped(
      Effect.forEach(
        clients.flatMap((client) => Array.from({ length: 30 }, () => client)),
        (client) => Effect.provide(read, client(service.layer)),
        { concurrency: "unbounded" }
      ),
      { startImmediately: true }
    )
    yield* FakeService.settle
    return service.sent.length
  })

type ClientOf = (http: Layer.Layer<HttpClient.HttpClient>) => Layer.Layer<ZimClient.ZimClient>
const as =
  (options: Partial<ZimClient.Options>): ClientOf =>
  (http) =>
    clientOf(http, options)

const own = Effect.runSync(Quota.make())
const given: ClientOf = (http) => Layer.provide(clientOf(http), Layer.succeed(Quota.Quota, own))

const success = { Code: 0, Message: "", RequestId: "1", TotalCount: 0, Next: 0, List: [] }

describe("clients", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<ClientOf>, number]> = [
    ["of one app share", [as({}), as({})], 20],
    [
      "of one app in two regions share",
      [as({ baseUrl: undefined, region: "fra" }), as({ baseUrl: undefined, failover: ["lax"] })],
      20
    ],
    ["with another secret share", [as({}), as({ serverSecret: Redacted.make("0".repeat(32)) })], 20],
    ["of two apps do not", [as({}), as({ appId: 54321 })], 40],
    ["of two hosts do not", [as({}), as({ baseUrl: "http://127.0.0.1:2" })], 40],
    ["of which one was given a quota do not", [as({}), given], 40]
  ]
  it.effect.each(cases)("%s", ([, clients, sent]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* sentAtOnce(clients), sent)
    })
  )

  it.effect("by two clocks have nothing in common", () =>
    Effect.gen(function* () {
      const other: Clock.Clock = { ...(yield* TestClock.make()) }
      assert.strictEqual(yield* sentAtOnce([as({})]), 20)
      assert.strictEqual(yield* Effect.provideService(sentAtOnce([as({})]), Clock.Clock, other), 20)
    })
  )

  it.effect("of one request each learn from each other that a host fails", () =>
    Effect.gen(function* () {
      const service = FakeService.make(() => Effect.succeed(html(503)))
      const failed = read.pipe(
        RetryPolicy.provide(RetryPolicy.none),
        Effect.flip,
        Effect.provide(clientOf(service.layer))
      )
      for (let i = 0; i < 20; i++) yield* Effect.andThen(TestClock.adjust("1 second"), failed)
      assert.instanceOf(yield* failed, ClientError.CircuitOpen)
      assert.strictEqual(service.sent.length, 20)
    })
  )

  it.effect("with a wrong secret do no harm to others of the app", () =>
    Effect.gen(function* () {
      const service = FakeService.make((_, index) => Effect.succeed(index < 60 ? FakeService.code(100000006) : page))
      const wrong = clientOf(service.layer, { serverSecret: Redacted.make("0".repeat(32)) })
      for (let i = 0; i < 60; i++) {
        yield* Effect.andThen(Effect.flip(Effect.provide(read, wrong)), TestClock.adjust("1 second"))
      }
      yield* Effect.provide(read, clientOf(service.layer))
    })
  )

  it.effect("with a wrong secret do not take the time from others whose machine's clock is off", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const ahead = 15 * 60_000
      const dated = (code: number, time: number) =>
        HttpServerResponse.text(JSON.stringify(code === 0 ? success : { Code: code, Message: "" }), {
          contentType: "application/json",
          headers: { date: new Date(time + ahead).toUTCString() }
        })
      const service = FakeService.make(({ time, url }) => {
        const isLate = Math.abs(Number(url.searchParams.get("Timestamp")) * 1000 - time - ahead) > 600_000
        return Effect.succeed(dated(isLate ? 100000004 : 0, time))
      })
      const right = RetryPolicy.provide(Effect.provide(read, clientOf(service.layer)), RetryPolicy.none)
      // The others call while it has been refused once, and tries another time.
      const refusing = FakeService.make(({ time }, index) =>
        Effect.as(index % 2 === 0 ? Effect.void : Effect.orDie(right), dated(100000005, time))
      )
      const wrong = RetryPolicy.provide(Effect.flip(Effect.provide(read, clientOf(refusing.layer))), RetryPolicy.none)
      yield* right
      for (let i = 0; i < 10; i++) {
        yield* TestClock.adjust("3 seconds")
        const sent = refusing.sent.length
        yield* wrong
        assert.strictEqual(refusing.sent.length - sent, 2)
        yield* TestClock.adjust("3 seconds")
        yield* right
      }
    })
  )

  it.effect("of an app that nobody asked for in an hour begin anew, and until then do not", () =>
    Effect.gen(function* () {
      const service = FakeService.make(() => Effect.succeed(html(503)))
      const client = clientOf(service.layer)
      const failed = read.pipe(RetryPolicy.provide(RetryPolicy.none), Effect.flip, Effect.provide(client))
      for (let i = 0; i < 19; i++) yield* Effect.andThen(failed, TestClock.adjust("3 seconds"))
      yield* TestClock.adjust("58 minutes")
      yield* failed
      assert.instanceOf(yield* failed, ClientError.CircuitOpen)
      yield* TestClock.adjust("2 hours")
      const sent = service.sent.length
      for (let i = 0; i < 19; i++) yield* Effect.andThen(failed, TestClock.adjust("3 seconds"))
      assert.strictEqual(service.sent.length, sent + 19)
    })
  )
})
