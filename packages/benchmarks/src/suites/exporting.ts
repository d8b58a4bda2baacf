/** Exports of many users' lists, into each kind of sink, as fast as the machine goes. */
import type * as ZimClient from "@effect-zim/client/ZimClient"
import { CsvSink, Export, NdjsonSink, type ExportSink } from "@effect-zim/export"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import { UndiciHttpClient } from "@effect-zim/node"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { createWriteStream } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { finished } from "node:stream/promises"
import type { Contestant } from "../Contestant.ts"
import * as Measure from "../Measure.ts"
import type * as Results from "../Results.ts"
import * as SampleAnswers from "../SampleAnswers.ts"
import type { Suite } from "../Suite.ts"
import * as AnsweringServer from "./network/AnsweringServer.ts"
import * as OurClient from "./network/OurClient.ts"
import * as Peers from "./network/Peers.ts"

const users = Array.from({ length: 400 }, (_, index) => `user-${index}`)
const each = 50
const pieces = users.length * each
const concurrency = 16
const app = { appId: 12345, secret: "9193cc662a4c0ec135ec71fb57194b38" }

const limit = "by hand, NDJSON"

interface Target {
  readonly name: string
  readonly role: Contestant["role"]
  /** Exports to a file that is not there yet. */
  readonly write: (file: string) => Effect.Effect<void, Error, ZimClient.ZimClient | FileSystem.FileSystem | Path.Path>
  /** The users and ids of the conversations in the file. */
  readonly read: (file: string) => Effect.Effect<ReadonlyArray<string>, Error, FileSystem.FileSystem>
}

const lines = (file: string) =>
  Effect.gen(function* () {
    const text = yield* (yield* FileSystem.FileSystem).readFileString(file)
    return text.trimEnd().split("\n")
  })

const nameOf = (line: string): string => {
  const value: unknown = JSON.parse(line)
  return Peers.isRecord(value) ? `${String(value["userId"])},${String(value["conversationId"])}` : line
}
const ofNdjson = (file: string) => Effect.map(lines(file), (lines) => lines.map(nameOf))
const ofCsv = (file: string) =>
  Effect.map(lines(file), ([, ...lines]) => lines.map((line) => line.split(",", 2).join()))
const ofSqlite = (file: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file)
    const rows = database.prepare("SELECT user_id, conversation_id FROM conversations").all()
    database.close()
    return rows.map((row) => `${String(row["user_id"])},${String(row["conversation_id"])}`)
  })

/** Sixteen lanes and a file: no checkpoint, no record of failures; whoever is interrupted begins anew. */
const byHand = (url: string) => async (file: string) => {
  const output = createWriteStream(file)
  const left = users.values()
  const lane = async (): Promise<void> => {
    for (const userId of left) {
      // One after the other: that is what a lane is.
      // oxlint-disable-next-line no-await-in-loop
      const { list } = await Peers.byHand({ ...app, url, userId })
      const text = list.map(({ id, millis, type }) => {
        const updatedAt = new Date(millis).toISOString()
        const kind = type === 2 ? "Group" : "Peer"
        return `${JSON.stringify({ userId, conversationId: id, type: kind, typeCode: type, updatedAt })}\n`
      })
      output.write(text.join(""))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  await finished(output.end())
}

const us = (
  name: string,
  read: Target["read"],
  sink: (path: string) => Effect.Effect<ExportSink.ExportSink, never, FileSystem.FileSystem | Path.Path>
): Target => ({
  name,
  role: "ours",
  read,
  write: (file) =>
    Effect.flatMap(sink(file), (sink) => Stream.runDrain(Export.run(Stream.fromIterable(users), { sink, concurrency })))
})

const targets = (url: string): ReadonlyArray<Target> => [
  {
    name: limit,
    role: "limit",
    read: ofNdjson,
    write: (file) => Effect.promise(() => byHand(url)(file))
  },
  us("NdjsonSink", ofNdjson, (path) => NdjsonSink.make({ path })),
  us("CsvSink", ofCsv, (path) => CsvSink.make({ path })),
  us("SqliteSink", ofSqlite, (path) => Effect.succeed(SqliteSink.make({ path })))
]

const run = Effect.gen(function* () {
  yield* Measure.announce(`exports of ${users.length} users with ${each} conversations each`)
  const url = yield* AnsweringServer.start({
    answers: { 0: SampleAnswers.page(SampleAnswers.entries(each)) },
    delay: 0
  })
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  let files = 0
  const contestants = targets(url).map(({ name, read, role, write }) => {
    const fresh = Effect.sync(() => `${folder}/${files++}`)
    const once = Effect.orDie(Effect.tap(fresh, write))
    return {
      name,
      role,
      pieces,
      answer: Effect.orDie(Effect.map(Effect.flatMap(once, read), (names) => names.toSorted())),
      work: (times: number) => Effect.replicateEffect(once, times, { discard: true })
    }
  })
  const series = yield* Effect.provide(
    Measure.sideBySide(contestants, { rounds: 9, sample: 300, warmUp: 2500 }),
    yield* OurClient.client({ ...app, url, userId: "" }, UndiciHttpClient.layer)
  )
  const rate = (wall: number): number => Math.round(1e6 / wall)
  const table: Results.Table = {
    title: `Exports of ${users.length} users with ${each} conversations each`,
    about: "",
    columns: [
      { name: "conversations per second", format: "count" },
      { name: `CPU, times ${limit}`, format: "times" },
      { name: "CPU per conversation", format: "micros" }
    ],
    rows: series.map((one) => ({
      name: one.name,
      role: one.role,
      values: [
        Measure.spread(one.costs.map(({ wall }) => rate(wall))),
        Measure.ratio(one, Measure.find(series, limit), "cpu"),
        Measure.each(one, "cpu")
      ]
    })),
    goals: [],
    isCharted: false
  }
  return [table]
})

export const exporting: Suite = {
  name: "export",
  title: "Exports, with the quota lifted",
  about: `One call for each user, ${concurrency} at a time, from a server in another process. By hand there is neither a checkpoint
nor a record of what failed; the sinks have both, and reach the disk before they say so. With the quota of 20 calls a
second none of this is felt: at 1000 conversations a call it lets 20,000 a second through.`,
  run
}
