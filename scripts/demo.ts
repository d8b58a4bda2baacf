/**
 * `npm start`: streams every conversation list of a generated world from the emulator, over real HTTP, with the client
 * as anybody would use it, and checks that each conversation arrived exactly once.
 */
import { UndiciHttpClient } from "@effect-zim/node"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Conversations, ZimClient } from "@effect-zim/client"
import { Emulator } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect, Layer, Stream } from "effect"
import * as Scene from "./demo/scene.ts"
import * as Screen from "./demo/Screen.ts"
import * as Summary from "./demo/summary.ts"
import * as Verify from "./demo/verify.ts"

/** One user's list, page by page. A user that fails is a value and does not end the others. */
const readList = (progress: Screen.Progress) => (userId: string) =>
  Conversations.pages(userId).pipe(
    Stream.tap((page) =>
      Effect.sync(() => {
        progress.pages++
        progress.conversations += page.conversations.length
      })
    ),
    Stream.map((page) => page.conversations),
    Stream.flattenIterable,
    Stream.runCollect,
    Effect.result,
    Effect.map((result): Verify.Reading => ({ userId, result })),
    Effect.tap(() => Effect.sync(() => progress.users++))
  )

const program = Effect.gen(function* () {
  const emulator = yield* Emulator.Emulator
  const { url } = yield* EmulatorServer.EmulatorServer
  yield* Summary.introduce(url)

  const progress: Screen.Progress = { users: 0, conversations: 0, pages: 0, mishaps: 0 }
  const countMishaps = Effect.map(emulator.journal.entries, (entries) => {
    progress.mishaps = Summary.mishapCount(entries)
  })
  const startedAt = performance.now()
  const readings = yield* Stream.fromIterable(Scene.userIds).pipe(
    Stream.mapEffect(readList(progress), { concurrency: 16, unordered: true }),
    Stream.runCollect,
    Screen.withProgress(progress, Scene.userIds.length, startedAt, countMishaps)
  )
  const seconds = (performance.now() - startedAt) / 1000

  const journal = yield* emulator.journal.entries
  const problems = Verify.problems(Scene.world, Scene.userIds, readings, journal)
  yield* Summary.conclude({ progress, readings, journal, seconds, problems })
  return problems.length === 0
})

const client = Layer.unwrap(
  Effect.map(EmulatorServer.EmulatorServer, ({ url }) => ZimClient.layer({ ...Scene.app, baseUrl: url }))
)

program.pipe(
  Effect.tap((ok) => Effect.sync(() => (process.exitCode = ok ? 0 : 1))),
  Effect.provide(
    client.pipe(
      Layer.provide(UndiciHttpClient.layer),
      Layer.provideMerge(EmulatorServer.layer()),
      Layer.provideMerge(Scene.emulator)
    )
  ),
  NodeRuntime.runMain
)
