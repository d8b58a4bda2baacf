/**
 * Several exports to one output, in any mode, started and killed at any moments. `npm run test:pairs` does it 200 times to
 * each kind of sink.
 */
import { assert, describe, it } from "@effect/vitest"
import { Emulator, Fault, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect, Layer } from "effect"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { setTimeout } from "node:timers/promises"
import { assertComplete, assertLists, type Format, read, readRecords } from "./exportSupport.ts"
import { app, settings, start } from "./support.ts"

const rounds = Number(process.env["ZIM_PAIRS"] ?? 3)

const generated = World.generate({ seed: "pairs", users: 90 })
const world = World.make({
  apps: [app],
  users: generated.users.map((user, i) => ({
    userId: user.userId,
    conversations: user.conversations.slice(0, i % 30 === 0 ? 1500 : 40)
  }))
})
const lines = [...world.users.map(({ userId }): string => userId), ...World.unregistered(world, 3)]

const service = (seed: string) =>
  EmulatorServer.layer().pipe(
    Layer.provide(
      Emulator.layer({
        world,
        faults: [Fault.latencyBetween("1 millis", "15 millis")],
        quota: ServiceQuota.unlimited,
        seed
      })
    ),
    Layer.orDie
  )

const pick = <A>(first: A, ...more: ReadonlyArray<A>): A => more[Math.floor(Math.random() * (more.length + 1))] ?? first

/** What those say who do not go on. */
const refusal = /^error: (?:another export writes to |there is an unfinished export to |\S+ exists already\n)/

const round = Effect.fnUntraced(function* (url: string, format: Format, folder: string) {
  const users = join(folder, "users.txt")
  writeFileSync(users, lines.join("\n"))
  const out = join(folder, `out.${format}`)
  const run = (more: ReadonlyArray<string>) =>
    start(
      ["conversations", "export", "--users", users, "--out", out, "--format", format, "--quiet"].concat(
        ["--calls-per-second", "10000", "--concurrency", "2"],
        more
      ),
      settings(url)
    )
  const one = async (isKilled: boolean) => {
    // Half of them begin together.
    if (Math.random() < 0.5) await setTimeout(Math.random() * 1000)
    const child = run(pick<ReadonlyArray<string>>([], ["--resume"], ["--restart"]))
    const ended = Promise.all([text(child.stderr), text(child.stdout), once(child, "close")])
    if (isKilled) {
      await Promise.race([setTimeout(Math.random() * 2000), ended])
      child.kill("SIGKILL")
    }
    const [stderr] = await ended
    return { code: child.exitCode, stderr }
  }
  const isWithKills = Math.random() < 0.6
  const count = pick(2, 2, 3)
  const ended = yield* Effect.promise(() =>
    Promise.all(Array.from({ length: count }, () => one(isWithKills && Math.random() < 0.6)))
  )
  for (const { code, stderr } of ended) {
    if (code === 0 || code === null) continue
    assert.strictEqual(code, 1, stderr)
    assert.match(stderr, refusal)
    assert.lengthOf(stderr.split("\n"), 3, stderr)
  }
  if (!isWithKills)
    assert.include(
      ended.map(({ code }) => code),
      0,
      "nobody went on"
    )
  if (ended.some(({ code }) => code === 0)) assertLists(yield* readRecords(out, format), world, lines)

  const last = run(["--resume"])
  const [stderr] = yield* Effect.promise(() => Promise.all([text(last.stderr), text(last.stdout), once(last, "close")]))
  assert.strictEqual(last.exitCode, 0, stderr)
  assertComplete(yield* read(out, format), world, lines)
  assert.isFalse(existsSync(`${out}.lock`))
})

describe.concurrent("exports to one output, at once", () => {
  for (const format of ["ndjson", "sqlite"] as const) {
    it.live(
      `${format}: none says that it is done and is not; resumed at last, it is complete`,
      () =>
        Effect.gen(function* () {
          const { url } = yield* EmulatorServer.EmulatorServer
          for (let i = 1; i <= rounds; i++) {
            const folder = mkdtempSync(join(tmpdir(), "zim-pairs-"))
            yield* round(url, format, folder)
            rmSync(folder, { recursive: true })
            if (i % 20 === 0) yield* Effect.sync(() => process.stdout.write(`${format}: ${i} rounds\n`))
          }
        }).pipe(Effect.provide(service(format))),
      60_000 + rounds * 60_000
    )
  }
})
