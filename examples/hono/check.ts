/**
 * The server as a process: what it answers, and that it ends in order while a request is under way.
 */
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, Duration, Effect, Fiber, Option, Schedule, Stream } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { ChildProcess } from "effect/process"
import * as assert from "node:assert/strict"

const program = Effect.gen(function* () {
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))
  const server = yield* ChildProcess.make("node", ["src/main.ts"], {
    env: { PORT: "0" },
    extendEnv: true,
    stderr: "inherit"
  })
  const line = yield* server.stdout.pipe(Stream.decodeText, Stream.splitLines, Stream.runHead)
  const url = Option.getOrThrow(line).replace("Listening on ", "")

  const get = (userId: string) => HttpClient.get(`${url}/users/${userId}/conversations`)
  const responses = yield* Effect.forEach(["user-1", "nobody", "not%2Fan%2Fid"], get)
  yield* Console.log(
    "HTTP statuses:",
    responses.map(({ status }) => status)
  )
  assert.deepEqual(
    responses.map(({ status }) => status),
    [200, 404, 400]
  )

  yield* emulator.putFaults({ payload: [{ type: "latency", duration: Duration.millis(500) }] })
  yield* emulator.deleteJournal()
  const underWay = yield* Effect.forkChild(get("user-2"))
  yield* Effect.repeat(emulator.getStats({ query: {} }), {
    until: ({ calls }) => calls > 0,
    schedule: Schedule.spaced("20 millis")
  })
  yield* server.kill({ killSignal: "SIGTERM" })
  const { status } = yield* Fiber.join(underWay)
  const code = yield* server.exitCode
  yield* Console.log(`told to end: answered with ${status}, then ended with ${code}`)
  assert.deepEqual([status, code], [200, 0])
})

program.pipe(Effect.scoped, Effect.provide([NodeServices.layer, FetchHttpClient.layer]), NodeRuntime.runMain)
