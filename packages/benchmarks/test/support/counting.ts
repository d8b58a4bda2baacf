/**
 * Counts what one call does, in numbers that no noise changes, and prints them as JSON. A program of its own: it replaces
 * timers, and the engine must not optimize, which would leave out some of the allocations, now these, now those.
 */
import * as Contestant from "@effect-zim/benchmarks/Contestant"
import { readAnswer } from "@effect-zim/benchmarks/suites/decode"
import * as SampleAnswers from "@effect-zim/benchmarks/SampleAnswers"
import { Conversations, Quota, ZimClient } from "@effect-zim/client"
import { QueryConversationList } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { createHook } from "node:async_hooks"

const counted = { requests: 0, permits: 0, spans: 0, steps: 0, fibers: 0, timers: 0, promises: 0 }
type Count = keyof typeof counted

const text = (body: string) => new Response(body, { headers: { "content-length": String(Buffer.byteLength(body)) } })

const entries = SampleAnswers.entries(1000)
const small = SampleAnswers.page(entries.slice(0, 1))
const pages = [SampleAnswers.page(entries.slice(0, 500), 1), SampleAnswers.page(entries.slice(500))]
let answers: ReadonlyArray<string> = [small]

const http = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make((request) =>
    Effect.sync(() => HttpClientResponse.fromWeb(request, text(answers[counted.requests++ % answers.length] ?? "")))
  )
)

/** Wide enough that nobody waits; each permit is counted. */
const quota = Layer.effect(
  Quota.Quota,
  Effect.map(Quota.make({ limit: 1_000_000, window: "1 milli" }), (quota) => {
    const { withPermit } = quota
    // The same object: another one would be a quota of one's own, whose calls are watched.
    return Object.assign(quota, {
      withPermit: (...args: Parameters<typeof withPermit>) => {
        counted.permits++
        return withPermit(...args)
      }
    })
  })
)

const fibers = new Set<number>()
const tracer = Tracer.make({
  span: (options) => {
    counted.spans++
    return new Tracer.NativeSpan(options)
  },
  context: (primitive, fiber) => {
    counted.steps++
    fibers.add(fiber.id)
    return primitive["~effect/Effect/evaluate"](fiber)
  }
})

const client = ZimClient.layer({
  appId: 12345,
  serverSecret: Redacted.make("9193cc662a4c0ec135ec71fb57194b38"),
  baseUrl: "http://127.0.0.1:1"
})
const runtime = ManagedRuntime.make(Layer.provide(client, [http, quota]))

const setTimeoutOfNode = globalThis.setTimeout
Reflect.set(globalThis, "setTimeout", (...args: Parameters<typeof setTimeout>) => {
  counted.timers++
  return setTimeoutOfNode(...args)
})

const promises = createHook({
  init: (_id, type) => {
    if (type === "PROMISE") counted.promises++
  }
})

const times = 50

/** What one run of the effect does. */
const count = async <A, E>(effect: Effect.Effect<A, E, ZimClient.ZimClient>): Promise<Record<Count, number>> => {
  const all = Effect.replicateEffect(effect, times, { discard: true }).pipe(Effect.withTracer(tracer))
  await runtime.runPromise(all)
  for (const key of Object.keys(counted)) Reflect.set(counted, key, 0)
  fibers.clear()
  promises.enable()
  await runtime.runPromise(all)
  promises.disable()
  counted.fibers = fibers.size
  const each = (key: Count) => Math.round((counted[key] / times) * 100) / 100
  return {
    requests: each("requests"),
    permits: each("permits"),
    spans: each("spans"),
    steps: each("steps"),
    fibers: each("fibers"),
    timers: each("timers"),
    promises: each("promises")
  }
}

/** Bytes that one run allocates: what the young generation has grown by, which is too large to be collected meanwhile. */
const allocated = async (work: Contestant.Contestant<ZimClient.ZimClient>): Promise<number> => {
  await runtime.runPromise(work.work(times))
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  await runtime.runPromise(work.work(times))
  return Math.round((process.memoryUsage().heapUsed - before) / times)
}

/**
 * Bytes of one run that collections of the young generation leave. What is dead by then is left too where something dead
 * and older leads to it, and then everything that comes after, in a chain: until a full collection.
 */
const left = async (work: Contestant.Contestant<ZimClient.ZimClient>): Promise<number> => {
  const rounds = 40
  await runtime.runPromise(work.work(times))
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  for (let round = 0; round < rounds; round++) {
    // oxlint-disable-next-line no-await-in-loop
    await runtime.runPromise(work.work(times))
    globalThis.gc?.({ type: "minor" })
  }
  globalThis.gc?.({ type: "minor" })
  return Math.round((process.memoryUsage().heapUsed - before) / times / rounds)
}

const call = ZimClient.execute(QueryConversationList.operation, { userId: "user-42" })
const list = Stream.runDrain(Conversations.stream("user-42"))

const untracedCall = await count(Effect.withTracerEnabled(call, false))
const tracedCall = await count(call)
const calling = Contestant.effect({ name: "a call", role: "ours" }, Effect.withTracerEnabled(call, false))
const callBytes = await allocated(calling)
const leftBytes = await left(calling)
answers = pages
const wholeList = await count(list)
const [page = ""] = pages
const parseBytes = await allocated(
  Contestant.sync({ name: "JSON.parse", role: "limit" }, (): unknown => JSON.parse(page))
)
const decodeBytes = await allocated(Contestant.sync({ name: "decode", role: "ours" }, () => readAnswer(page)))
await runtime.dispose()

process.stdout.write(
  JSON.stringify({
    untracedCall: { ...untracedCall, bytes: callBytes, left: leftBytes },
    tracedCall,
    listOf1000: wholeList,
    pageOf500: { timesJsonParse: decodeBytes / parseBytes }
  })
)
