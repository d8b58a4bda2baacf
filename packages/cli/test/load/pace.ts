/**
 * `npm run test:pace`: an export of 300 users with two pages each, against the emulator's default quota. It must use 97 % of
 * it, be rejected never, and know after a tenth how long it will take, within 10 %.
 */
import { Emulator, Journal, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Console, Effect, Layer } from "effect"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { assertComplete, read } from "../exportSupport.ts"
import { app, settings, start } from "../support.ts"

const users = 300
const world = World.make({
  apps: [app],
  users: Array.from({ length: users }, (_, i) => ({
    userId: `user-${i}`,
    conversations: Array.from({ length: 501 + i }, (_, j) => ({
      ConvId: `c${j}`,
      ConvType: 2,
      UpdateTime: 1e12 + i + j
    }))
  }))
})
const lines = world.users.map(({ userId }) => userId)

/** From "12m 30s left". */
const secondsOf = (line: string): number | undefined => {
  const time = /(?:(?<m>\d+)m ?)?(?:(?<s>\d+)s )?left/.exec(line)?.groups
  return time === undefined ? undefined : Number(time["m"] ?? 0) * 60 + Number(time["s"] ?? 0)
}

interface Told {
  readonly at: number
  readonly users: number
  readonly left: number | undefined
}

const program = Effect.gen(function* () {
  const { url } = yield* EmulatorServer.EmulatorServer
  const folder = mkdtempSync(join(tmpdir(), "zim-pace-"))
  const file = join(folder, "users.txt")
  writeFileSync(file, lines.join("\n"))
  const out = join(folder, "out.ndjson")
  const child = start(["conversations", "export", "--users", file, "--out", out], settings(url))
  const told: Array<Told> = []
  createInterface(child.stderr).on("line", (line) => {
    told.push({ at: performance.now(), users: Number(/^(?<n>\d+)\//.exec(line)?.groups?.["n"]), left: secondsOf(line) })
    process.stdout.write(`${line}\n`)
  })
  yield* Effect.promise(() => once(child, "close"))
  const end = performance.now()
  assertComplete(yield* read(out, "ndjson"), world, lines)
  rmSync(folder, { recursive: true })

  const entries = yield* (yield* Emulator.Emulator).journal.entries
  const rejected = entries.filter(({ code }) => code !== 0).length
  const took = ((entries.at(-1)?.time ?? 0) - (entries[0]?.time ?? 0)) / 1000
  // The first 20 calls take no time.
  const ideal = entries.length / 20 - 1
  const early = told.find(({ users: done }) => done >= users / 10)
  const actual = (end - (early?.at ?? 0)) / 1000
  const problems = [
    ...(rejected > 0 ? [`${rejected} calls were rejected`] : []),
    ...(ideal / took >= 0.97 ? [] : ["the pace is below 97 %"]),
    ...(Math.abs((early?.left ?? 0) - actual) <= Math.max(actual * 0.1, 0.5) ? [] : ["the time left was wrong"])
  ]
  yield* Console.log(
    `${entries.length} calls in ${took.toFixed(2)} s: ${((100 * ideal) / took).toFixed(1)} % of the quota's pace, ` +
      `${rejected} rejected, at most ${Journal.peak(entries, "1 second")} in any second; ` +
      `after ${early?.users} users ${early?.left} s were said to be left, it took ${actual.toFixed(1)} s`
  )
  for (const problem of problems) yield* Console.error(`FAILED: ${problem}`)
  process.exitCode = problems.length === 0 ? 0 : 1
})

await program.pipe(
  Effect.provide(EmulatorServer.layer().pipe(Layer.provideMerge(Emulator.layer({ world })))),
  Effect.runPromise
)
