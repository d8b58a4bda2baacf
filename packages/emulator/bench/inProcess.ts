/**
 * Calls per second of CPU time in the same process: the emulator alone, and through its `HttpClient` on `TestClock`, as a
 * property test runs it. CPU time, with the garbage collector's, because other programs share the machine.
 */
import { Emulator, EmulatorClient } from "@effect-zim/emulator"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { body } from "./body.ts"
import { emulator, median, targets } from "./scene.ts"

const calls = 10_000
const rounds = 11

const rate = <R>(call: (target: string) => Effect.Effect<unknown, unknown, R>) =>
  Effect.gen(function* () {
    const asked = yield* targets(calls)
    const before = process.cpuUsage()
    for (const target of asked) yield* call(target)
    const { system, user } = process.cpuUsage(before)
    return (calls / (system + user)) * 1e6
  })

const measured = <R>(name: string, call: (target: string) => Effect.Effect<unknown, unknown, R>) =>
  Effect.gen(function* () {
    yield* rate(call)
    const rates = yield* Effect.replicateEffect(rate(call), rounds)
    const line = `${name.padEnd(32)} ${Math.round(median(rates)).toLocaleString("en")} calls/s, median of ${rounds} x ${calls}`
    yield* Console.log(line)
    return median(rates)
  })

const program = Effect.gen(function* () {
  const { handle } = yield* Emulator.Emulator
  const http = yield* HttpClient.HttpClient
  const json = HttpClientRequest.bodyText(body, "application/json")
  yield* measured("Emulator.handle", (target) =>
    handle({ method: "POST", target, contentType: "application/json", body })
  )
  const slowest = yield* measured("HttpClient, answer as text", (target) =>
    Effect.flatMap(http.execute(json(HttpClientRequest.post(`https://zim-api.zego.im${target}`))), ({ text }) => text)
  )
  if (slowest < 10_000) process.exitCode = 1
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(EmulatorClient.layer.pipe(Layer.provideMerge(emulator), Layer.provideMerge(TestClock.layer()))),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )
)
