import { Export, NdjsonSink } from "@effect-zim/export"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { type Check, expect } from "./Check.ts"
import { clientOf } from "./client.ts"

export const check: Check = (given) =>
  Effect.gen(function* () {
    const path = `${given.folder}/lists.ndjson`
    const sink = yield* NdjsonSink.make({ path })
    yield* Stream.runDrain(Export.run(Stream.make("list", "small"), { sink, mode: "restart" }))
    const lines = (yield* (yield* FileSystem.FileSystem).readFileString(path)).trim().split("\n")
    yield* expect(lines.length === 251, `${lines.length} lines`)
  }).pipe(Effect.scoped, Effect.provide([clientOf(given), NodeServices.layer]))
