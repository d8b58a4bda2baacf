/** A workflow's activity that reads a list, over a real PostgreSQL: killed after it, the workflow reads nothing again. */
import { Emulator } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { world } from "./programs/api.ts"
import * as PostgresServer from "./postgresServer.ts"
import * as ScriptProcess from "./scriptProcess.ts"

const start = (database: string, service: string) => ScriptProcess.start("programs/workflow.ts", database, service)

const emulator = EmulatorServer.layer().pipe(Layer.provideMerge(Emulator.layer({ world })))

// Two processes, and a lease of the first that has to end.
describe("a workflow over PostgreSQL", { timeout: 240_000 }, () => {
  it.live("reads a list once, though its process is killed after that", () =>
    Effect.gen(function* () {
      const database = yield* PostgresServer.make
      const { url } = yield* EmulatorServer.EmulatorServer
      const { journal } = yield* Emulator.Emulator
      const first = yield* start(database, url)
      yield* first.said(/^read$/m)
      const calls = (yield* journal.entries).length
      assert.isAtLeast(calls, 1)
      first.child.kill("SIGKILL")
      const second = yield* start(database, url)
      yield* second.said(/^read$/m)
      second.child.stdin.write("go on\n")
      const printed = yield* second.said(/\]\n/)
      const ids = world.users[0]?.conversations.map(({ ConvId }) => ConvId) ?? []
      const line = printed.split("\n").find((line) => line.startsWith("[")) ?? ""
      assert.sameMembers(JSON.parse(line), ids)
      assert.strictEqual((yield* journal.entries).length, calls)
    }).pipe(Effect.provide(emulator))
  )
})
