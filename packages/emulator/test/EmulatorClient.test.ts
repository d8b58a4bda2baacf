import { Emulator, EmulatorClient, Fault } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { assertSeen, outcome, post, visible } from "./exchange.ts"
import { groups, worldOf } from "./support.ts"

const base = "https://zim-api.zego.im"
const provide = (...faults: ReadonlyArray<Fault.Fault>) =>
  Effect.provide(EmulatorClient.layerWithEmulator({ world: worldOf({ u1: groups(3) }), faults }))
const call = outcome(post(base, { FromUserId: "u1" }))

describe("in the same process", () => {
  it.effect("a request to any host is answered", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* post("http://wherever.invalid:1234", { FromUserId: "u1" })
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "application/json; charset=utf-8")
      assert.strictEqual(headers["content-length"], String(text.length))
      assert.match(text, /"List":\[\{"ConvId":"g1","ConvType":2,"UpdateTime":1700000000000\}/)
    }).pipe(provide())
  )

  it.effect.each(visible)("$fault.name", ({ expected, fault }) =>
    Effect.gen(function* () {
      assertSeen(yield* call, expected)
    }).pipe(provide(fault))
  )

  it.effect("a truncated body is delivered up to where it breaks", () =>
    Effect.gen(function* () {
      const http = yield* HttpClient.HttpClient
      const response = yield* http.post(base)
      const received: Array<number> = []
      const end = yield* Effect.result(
        Stream.runForEach(response.stream, (bytes) => Effect.sync(() => received.push(bytes.length)))
      )
      assert.strictEqual(end._tag, "Failure")
      assert.strictEqual(received.length, 1)
      assert.strictEqual(Number(response.headers["content-length"]) >>> 1, received[0])
    }).pipe(provide(Fault.truncatedBody))
  )

  it.effect("a slow body takes its time on TestClock", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(call)
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.propertyVal(yield* Fiber.join(fiber), "status", 200)
    }).pipe(provide(Fault.slowBody({ bytes: 100, every: "1 second" })))
  )

  it.effect.each([Fault.hang, Fault.hangingBody, Fault.latency("1 hour")])("a timeout ends $name", (fault) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.timeoutOption(call, "3 seconds"))
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(yield* Fiber.join(fiber), Option.none())
    }).pipe(provide(fault))
  )

  it.effect("all kinds of request bodies are read", () =>
    Effect.gen(function* () {
      const { journal } = yield* Emulator.Emulator
      const http = yield* HttpClient.HttpClient
      const bytes = new TextEncoder().encode(`{"FromUserId":"u1"}`)
      const broken = Stream.concat(Stream.succeed(bytes), Stream.fail("broken"))
      const request = HttpClientRequest.post(`${base}/?Action=QueryConversationList`)
      for (const ready of [
        HttpClientRequest.bodyUint8Array(request, bytes, "application/json"),
        HttpClientRequest.bodyStream(request, Stream.succeed(bytes), { contentType: "application/json" }),
        HttpClientRequest.bodyStream(request, broken, { contentType: "application/json" }),
        HttpClientRequest.bodyFormData(request, new FormData()),
        request
      ]) {
        yield* http.execute(ready)
      }
      assert.deepStrictEqual(
        (yield* journal.entries).map(({ userId }) => userId),
        ["u1", "u1", undefined, undefined, undefined]
      )
    }).pipe(provide())
  )
})
