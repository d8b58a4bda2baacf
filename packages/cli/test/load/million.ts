/**
 * `npm run test:million [USERS]`: an export of a million users, most with short lists, with the quota lifted. Memory must
 * stay under 150 MB, and not grow after the first tenth; progress must stay live. It runs the built program.
 */
import { ServerSecret } from "@effect-zim/signing"
import { AppId, type Conversation, UserId } from "@effect-zim/protocol"
import { Emulator, ServiceQuota, type World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Console, Effect, Layer, Schema } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { app, settings } from "../support.ts"

const count = Number(process.argv[2] ?? 1_000_000)
const format = process.argv[3] ?? "ndjson"
const concurrency = process.argv[4] ?? "16"

const bin = process.env["ZIM_BIN"] ?? fileURLToPath(new URL("../../dist/bin.js", import.meta.url))

const list = (length: number): ReadonlyArray<Conversation.Wire> =>
  Array.from({ length }, (_, i) => ({ ConvId: `group-${i}`, ConvType: 2, UpdateTime: 1_700_000_000_000 + i }))

/** Lists are shared, so that a million users fit into the emulator. Every thousandth has two pages. */
const lists = [0, 1, 2, 3, 5, 8].map(list)
const long = list(600)
const listOf = (i: number) => (i % 1000 === 999 ? long : (lists[i % lists.length] ?? []))
const idOf = (i: number) => UserId.make(`user-${i}`)

const world: World.World = {
  apps: [
    { appId: AppId.make(app.appId), serverSecret: Schema.decodeSync(ServerSecret.ServerSecret)(app.serverSecret) }
  ],
  users: Array.from({ length: count }, (_, i) => ({ userId: idOf(i), conversations: listOf(i) }))
}
const expected = Array.from({ length: count }, (_, i) => listOf(i).length).reduce((sum, length) => sum + length, 0)

const writeUsers = async (file: string): Promise<void> => {
  const stream = createWriteStream(file)
  for (let i = 0; i < count; i++) stream.write(`user-${i}\n`)
  stream.end()
  await once(stream, "finish")
}

/** In MB: what the process has in memory now. */
const memoryOf = (pid: number): number | undefined => {
  try {
    const kilobytes = /VmRSS:\s+(?<kb>\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.groups?.["kb"]
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  } catch {
    return undefined
  }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const program = Effect.gen(function* () {
  const { url } = yield* EmulatorServer.EmulatorServer
  const folder = mkdtempSync(join(tmpdir(), "zim-million-"))
  const file = join(folder, "users.txt")
  yield* Effect.promise(() => writeUsers(file))
  const out = join(folder, "out")
  const args = ["conversations", "export", "--users", file, "--out", out, "--format", format]
  const child = spawn(
    process.execPath,
    [
      ...(process.env["NODE_ARGS"] ?? "").split(" ").filter(Boolean),
      bin,
      ...args,
      "--calls-per-second",
      "1000000",
      "--concurrency",
      concurrency
    ],
    {
      env: { PATH: process.env["PATH"] ?? "", ...settings(url) },
      stdio: ["ignore", "ignore", "pipe"]
    }
  )
  const startedAt = performance.now()
  const memory: Array<{ readonly done: number; readonly megabytes: number }> = []
  let done = 0
  let lines = 0
  let toldAt = startedAt
  let longestSilence = 0
  let summary = ""
  createInterface(child.stderr).on("line", (line) => {
    const now = performance.now()
    longestSilence = Math.max(longestSilence, (now - toldAt) / 1000)
    toldAt = now
    if (line.startsWith("done")) summary = line
    done = Number(/^(?<n>[\d,]+)\//.exec(line)?.groups?.["n"]?.replaceAll(",", "") ?? done)
    const megabytes = memory.at(-1)?.megabytes ?? 0
    if (lines++ % 12 === 0 || line.startsWith("done")) process.stdout.write(`${line} [${megabytes.toFixed(0)} MB]\n`)
  })
  const timer = setInterval(() => {
    const megabytes = memoryOf(child.pid ?? 0)
    if (megabytes !== undefined) memory.push({ done, megabytes })
  }, 1000)
  yield* Effect.promise(() => once(child, "close"))
  clearInterval(timer)
  const seconds = (performance.now() - startedAt) / 1000

  const between = (from: number, to: number) =>
    memory.filter(({ done }) => done >= from * count && done < to * count).map(({ megabytes }) => megabytes)
  const peak = Math.max(...memory.map(({ megabytes }) => megabytes))
  const early = median(between(0.1, 0.3))
  const late = median(between(0.8, 1.01))
  const exported = Number(/, (?<n>[\d,]+) conversations/.exec(summary)?.groups?.["n"]?.replaceAll(",", ""))
  yield* Console.log(
    `${count} users as ${format} in ${seconds.toFixed(0)} s (${(count / seconds).toFixed(0)} users/s); ` +
      `memory: ${early.toFixed(0)} MB from 10 to 30 %, ${late.toFixed(0)} MB from 80 %, at most ${peak.toFixed(0)} MB; ` +
      `longest silence ${longestSilence.toFixed(1)} s; output ${(statSync(out).size / 1e6).toFixed(0)} MB`
  )
  const problems = [
    ...(child.exitCode === 0 ? [] : [`exit code ${child.exitCode}`]),
    ...(exported === expected ? [] : [`${exported} conversations instead of ${expected}`]),
    ...(peak < 150 ? [] : ["memory is over 150 MB"]),
    ...(late - early < 25 ? [] : ["memory grows"]),
    ...(longestSilence < 15 ? [] : ["progress was silent"])
  ]
  rmSync(folder, { recursive: true })
  for (const problem of problems) yield* Console.error(`FAILED: ${problem}`)
  process.exitCode = problems.length === 0 ? 0 : 1
})

await program.pipe(
  Effect.provide(
    EmulatorServer.layer().pipe(
      Layer.provideMerge(Emulator.layer({ world, quota: ServiceQuota.unlimited, journalCapacity: 1000 }))
    )
  ),
  Effect.runPromise
)
