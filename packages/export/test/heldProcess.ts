/**
 * `heldProcess.ts DATABASE`: a process that opens an export in PostgreSQL and says `open`, then for each line of input saves
 * and says what has become of it.
 */
import { Checkpoint } from "@effect-zim/export"
import * as SqlSink from "@effect-zim/export/SqlSink"
import * as Effect from "effect/Effect"
import { createInterface } from "node:readline"
import { clientOf } from "./postgres.ts"
import { app } from "./support.ts"

const initial = Checkpoint.initial({ run: "held", startedAt: "2026-01-01T00:00:00.000Z", appId: app.appId })
const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

const program = Effect.gen(function* () {
  const sink = yield* SqlSink.make()
  const { save } = yield* sink.open({ mode: "resume", initial })
  yield* say("open")
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  while ((yield* Effect.promise(() => lines.next())).done !== true) {
    yield* Effect.matchEffect(save([], initial), {
      onFailure: (error) => say(`${error._tag}: ${error.message}`),
      onSuccess: () => say("saved")
    })
  }
}).pipe(Effect.scoped, Effect.provide(clientOf(process.argv[2] ?? "")))

await Effect.runPromise(program)
