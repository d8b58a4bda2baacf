/** Runs the suite it is told the name of, in this process, and stores what it found. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Paths from "./Paths.ts"
import * as Machine from "./Machine.ts"
import * as Results from "./Results.ts"
import * as TextTables from "./TextTables.ts"
import { suites } from "./suites/index.ts"

const [name, option] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const suite = suites.find((suite) => suite.name === name)
  if (suite === undefined) return yield* Effect.die(`No such suite: ${name}`)
  const fs = yield* FileSystem.FileSystem
  const started = yield* Clock.currentTimeMillis
  const tables = yield* Effect.scoped(suite.run)
  const seconds = Math.round((yield* Clock.currentTimeMillis) - started) / 1000
  yield* Console.log(tables.map(TextTables.table).join("\n\n"))
  if (option === "--no-write") return
  const { about, title } = suite
  const outcome = { suite: suite.name, title, about, seconds, machine: yield* Machine.here, tables }
  const json = yield* Schema.encodeEffect(Schema.fromJsonString(Results.Outcome))(outcome)
  yield* fs.makeDirectory(Paths.results, { recursive: true })
  yield* fs.writeFileString(Paths.result(suite.name), json)
})

program.pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
