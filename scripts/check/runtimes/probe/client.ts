/** What the client promises, over the runtime's own `fetch`. */
import { Conversations, Quota, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { QueryConversationList } from "@effect-zim/protocol"
import { ServerSecret, Signature } from "@effect-zim/signing"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { ask, type Check, type Checks, expect, type Given, secret } from "./Check.ts"
import { keepsSecrets } from "./secrets.ts"
import * as StillClocks from "./stillClocks.ts"

export const clientOf = (
  { appId, url }: Pick<Given, "appId" | "url">,
  http: Layer.Layer<HttpClient.HttpClient> = FetchHttpClient.layer
) =>
  ZimClient.layer({ appId, serverSecret: Redacted.make(secret), baseUrl: url }).pipe(
    Layer.provide(Quota.layer({ limit: 20 })),
    Layer.provide(http),
    Layer.orDie
  )

/** Over the client of the app that has no quota. */
const called =
  <E>(check: (given: Given) => Effect.Effect<void, E, ZimClient.ZimClient>): Check =>
  (given) =>
    Effect.provide(check(given), clientOf(given))

const signature: Check = () => {
  const signed = Signature.compute({
    appId: 12345,
    nonce: "4fd24687296dd9f3",
    serverSecret: ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38"),
    timestamp: 1615186943
  })
  return expect(signed === "43e5cfcca828314675f91b001390566a", "another signature")
}

/** Of three pages. */
export const readsList = Effect.gen(function* () {
  const list = yield* Stream.runCollect(Conversations.stream("list", { pageSize: 100 }))
  yield* expect(
    list.length === 250 && list.every(({ id }, i) => id === `friend-${i}`),
    `another list: ${list.length} conversations, not 250`
  )
})

const readsBigCursors = Effect.gen(function* () {
  const pages = yield* Stream.runCollect(Conversations.pages("large", { pageSize: 100 }))
  const cursors = pages.flatMap(({ next }) => Option.toArray(next))
  yield* expect(
    cursors.length === 2 && cursors.every((cursor) => BigInt(cursor) > 2n ** 53n && BigInt(cursor) % 2n === 1n),
    "the cursors are not those of the service"
  )
})

const retriesRejections = Effect.gen(function* () {
  const { attempts } = yield* ZimClient.executeDetailed(QueryConversationList.operation, { userId: "rejected" })
  yield* expect(attempts === 2, `${attempts} attempts`)
})

/** The error that a user's fault becomes, in a word. */
const failures: Readonly<Record<string, string>> = {
  nobody: "UserNotRegistered",
  unknown: "UnknownReturnCode",
  gateway: "HttpStatus",
  redirect: "Redirect",
  broken: "NotJson",
  empty: "Empty",
  reset: "TransportFailed",
  truncated: "TransportFailed"
}

export const failureOf = (userId: string) =>
  Effect.flip(Conversations.page(userId)).pipe(RetryPolicy.provide(RetryPolicy.none))

const wordOf = (userId: string) =>
  Effect.map(failureOf(userId), (error) => (error._tag === "ResponseUnreadable" ? error.reason._tag : error._tag))

const namesFailures = Effect.forEach(Object.entries(failures), ([userId, expected]) =>
  Effect.flatMap(wordOf(userId), (word) => expect(word === expected, `${userId} is ${word}, not ${expected}`))
)

/** Read up to the limit, or, where what nobody asked to be packed is not unpacked, not at all. */
const refusesBombs = Effect.flatMap(wordOf("bomb"), (word) => expect(word === "TooLarge" || word === "NotJson", word))

/** Neither before its time nor much after it; in milliseconds, and only after an answer that never comes. */
const takes = <A, E, R>(effect: Effect.Effect<A, E, R>, least: number, most: number) =>
  Effect.gen(function* () {
    const started = Date.now()
    const result = yield* effect
    const took = Date.now() - started
    yield* expect(took >= least - 5 && took <= most, `it took ${took} ms`)
    return result
  })

const keepsTime = Effect.gen(function* () {
  const attempt = wordOf("hanging").pipe(Timeout.provide({ attempt: "200 millis" }))
  const first = yield* takes(attempt, 200, 8000)
  yield* expect(first === "AttemptTimedOut", first)
  // The answer has begun.
  const stalled = yield* takes(wordOf("stalled").pipe(Timeout.provide({ attempt: "200 millis" })), 200, 8000)
  yield* expect(stalled === "AttemptTimedOut", stalled)
  const call = yield* takes(wordOf("hanging").pipe(Timeout.provide({ deadline: "200 millis" })), 200, 8000)
  yield* expect(call === "DeadlineExceeded", call)
})

const callsAtOnce = Effect.forEach(Array.from({ length: 25 }), () => Conversations.page("list", { pageSize: 1 }), {
  concurrency: "unbounded",
  discard: true
})

/** By an app that the emulator lets call 20 times a second. */
const keepsQuota: Check = (given) =>
  Effect.gen(function* () {
    const app = { ...given, appId: given.appId + 1 }
    yield* Effect.provide(callsAtOnce, clientOf(app))
    yield* ask(app, "quota")
  })

/** The helper holds every request, and sees which of them end. */
const endsRequests: Check = (given) =>
  Effect.gen(function* () {
    const call = yield* Effect.forkChild(Conversations.page("held"))
    yield* ask(given, "arrived")
    yield* Fiber.interrupt(call)
    yield* ask(given, "closed")
  }).pipe(Effect.provide(clientOf({ ...given, url: given.helperUrl })))

/** What counts by clocks and waits by timers, where a clock goes on with events alone. */
const bearsStillClocks: Check = (given) => {
  const app = { ...given, appId: given.appId + 2 }
  return StillClocks.within((fetch) => {
    const http = Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
    return Effect.gen(function* () {
      const [wall, monotonic] = [Date.now(), performance.now()]
      let sum = 0
      for (let i = 0; i < 10_000_000; i++) sum += i % 7
      yield* expect(sum > 0 && Date.now() === wall && performance.now() === monotonic, "the clocks go on")
      yield* Effect.provide(callsAtOnce, clientOf(app, http))
      const word = wordOf("hanging").pipe(Timeout.provide({ attempt: "200 millis" }))
      const first = yield* Effect.provide(word, clientOf(given, http))
      yield* expect(first === "AttemptTimedOut", first)
      yield* ask(app, "quota")
    })
  })
}

/** Of the environment, where there is one. */
const readsSettings: Check = () =>
  Effect.gen(function* () {
    const { appId } = yield* ZimClient.ZimClient
    yield* expect(appId === 12345, `the app is ${appId}`)
  }).pipe(Effect.provide(Layer.provide(ZimClient.layerConfig(), FetchHttpClient.layer)))

/** As a worker has them, with each request. */
const settings = ConfigProvider.layer(ConfigProvider.fromUnknown({ ZIM_APP_ID: "12345", ZIM_SERVER_SECRET: secret }))

let service: Given | undefined

/** Made when the module is loaded, where workerd lets nobody wait, draw a number or set a timer. */
const runtime = ManagedRuntime.make(
  Layer.unwrap(
    Effect.suspend(() => (service === undefined ? Effect.die("nothing to call") : Effect.succeed(clientOf(service))))
  )
)

const runsInModuleScope: Check = (given) =>
  Effect.promise(async () => {
    service = given
    await runtime.runPromise(readsList)
    await runtime.dispose()
  })

export const checks: Checks = {
  "Signature 2.0: the vendor's vector": signature,
  "A list of several pages as a stream": called(() => readsList),
  "Cursors beyond 2^53, to the last digit": called(() => readsBigCursors),
  "A rejection by the quota: tried again": called(() => retriesRejections),
  "Every other failure: its typed error": called(() => namesFailures),
  "An answer that is small only while it is packed: refused": called(() => refusesBombs),
  "Timeouts and deadline": called(() => keepsTime),
  "25 calls at once: never more than 20 in a second": keepsQuota,
  "An interrupted call closes its connection": endsRequests,
  "Nothing that is printed shows a credential": keepsSecrets,
  "A `ManagedRuntime` made in module scope": runsInModuleScope,
  "Settings from a `ConfigProvider` of one's own": (given) => Effect.provide(readsSettings(given), settings)
}

export const clockChecks: Checks = {
  "Timeouts and quota by clocks that stand still": bearsStillClocks
}

/** Of a process: on Deno that is a permission of its own. */
export const settingsChecks: Checks = { "Settings from the environment": readsSettings }
