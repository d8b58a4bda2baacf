import { Export } from "@effect-zim/export"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Check, expect } from "./Check.ts"
import { clientOf } from "./client.ts"

export const check: Check = (given) =>
  Effect.gen(function* () {
    const path = `${given.folder}/lists.sqlite`
    const sink = SqliteSink.make({ path })
    // The second one brings up to date what the first one made.
    for (const users of [["list"], ["list", "small"]]) {
      yield* Stream.runDrain(Export.run(Stream.fromIterable(users), { sink, mode: "restart" }))
    }
    const rows = yield* Stream.runCollect(SqliteSink.conversations(path))
    yield* expect(rows.length === 251, `${rows.length} rows`)
  }).pipe(Effect.scoped, Effect.provide(clientOf(given)))
