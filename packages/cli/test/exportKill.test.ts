/**
 * Kills exports in the middle, as an out-of-memory killer or a restart does, and goes on. `npm run test:kill` does it 50
 * times to each format.
 */
import { assert, describe, it } from "@effect/vitest"
import { Emulator, Fault, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect, Layer } from "effect"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { assertComplete, type Format, read } from "./exportSupport.ts"
import { settings, start } from "./support.ts"

const kills = Number(process.env["ZIM_KILLS"] ?? 4)

const secret = "canary-secret-9193cc662a4c0ec1"
const generated = World.generate({ seed: "kill", users: 500 })
const world = World.make({
  apps: [{ appId: 12345, serverSecret: secret }],
  users: generated.users.map((user, i) => ({
    userId: user.userId,
    conversations: user.conversations.slice(0, i % 50 === 0 ? 1500 : 60)
  }))
})
const strangers = World.unregistered(world, 12)
const lines = world.users
  .flatMap((user, i) => [user.userId, ...(i % 40 === 0 ? [strangers[i / 40] ?? ""] : [])])
  .filter((id) => id !== "")

/** About as many as an undisturbed export makes. */
const calls = lines.length + 20

/** The service of this test: slow here and there, failing now and then; and it kills its clients. */
class Executioner {
  #victim: ChildProcess | undefined
  #left = Infinity

  aim(victim: ChildProcess, afterCalls: number): void {
    this.#victim = victim
    this.#left = afterCalls
  }

  readonly faults: ReadonlyArray<Fault.Fault> = [
    Fault.notJson.pipe(
      Fault.when(
        Fault.where(() => {
          if (--this.#left === 0) {
            const victim = this.#victim
            // Some time after the call, when there is more to interrupt than the network.
            setTimeout(() => victim?.kill("SIGKILL"), Math.random() * 20)
          }
          return false
        })
      )
    ),
    Fault.latencyBetween("1 millis", "12 millis"),
    Fault.returnCode(1).pipe(Fault.when(Fault.probability(0.004))),
    Fault.returnCode(660300005).pipe(Fault.when(Fault.probability(0.004))),
    Fault.connectionReset.pipe(Fault.when(Fault.probability(0.004))),
    Fault.answerLost.pipe(Fault.when(Fault.probability(0.004))),
    Fault.truncatedBody.pipe(Fault.when(Fault.probability(0.004)))
  ]
}

const survive = Effect.fnUntraced(function* (url: string, executioner: Executioner, format: Format, folder: string) {
  const users = join(folder, "users.txt")
  writeFileSync(users, lines.join("\n"))
  const out = join(folder, `out.${format}`)
  const args = ["conversations", "export", "--users", users, "--out", out, "--format", format, "--resume"]
  let killed = 0
  let runs = 0
  while (true) {
    const child = start([...args, "--calls-per-second", "10000"], settings(url))
    // Evenly over the export, whatever the number.
    executioner.aim(child, killed < kills ? Math.ceil((Math.random() * 2 * calls) / (kills + 1)) : Infinity)
    const [stderr] = yield* Effect.promise(() =>
      Promise.all([text(child.stderr), text(child.stdout), once(child, "close")])
    )
    runs++
    assert.notInclude(stderr, secret)
    if (child.signalCode === "SIGKILL") {
      killed++
      continue
    }
    assert.strictEqual(child.exitCode, 0, stderr)
    assertComplete(yield* read(out, format), world, lines)
    if (killed >= kills) break
    assert.isBelow(runs, 4 * kills, "it is too fast to be killed")
    rmSync(out, { force: true })
  }
})

describe.concurrent("zim conversations export, killed again and again", () => {
  for (const format of ["ndjson", "csv", "sqlite"] as const) {
    it.live(
      `${format}: is complete, each conversation once, every failure recorded once`,
      () =>
        Effect.gen(function* () {
          const executioner = new Executioner()
          const folder = yield* Effect.acquireRelease(
            Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-kill-"))),
            (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
          )
          yield* Effect.gen(function* () {
            const { url } = yield* EmulatorServer.EmulatorServer
            yield* survive(url, executioner, format, folder)
          }).pipe(
            Effect.provide(
              EmulatorServer.layer().pipe(
                Layer.provide(
                  Emulator.layer({ world, faults: executioner.faults, quota: ServiceQuota.unlimited, seed: format })
                ),
                Layer.orDie
              )
            )
          )
        }),
      60_000 + kills * 10_000
    )
  }
})
