import { assert, layer } from "@effect/vitest"
import { Emulator, Fault } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { assertComplete, read } from "./exportSupport.ts"
import { bareEnvironment, before, invokeAt, program, service, settings, world } from "./support.ts"

const lines = ["ada", "two-pages", ...Array.from({ length: 30 }, (_, i) => `stranger-${i}`)]

const zim = program.map((word) => `'${word}'`).join(" ")
const exporting = `${zim} conversations export --users users.txt --out out.ndjson --concurrency 1 --calls-per-second 1000`

/** Every word after `$!` and `wait` is about the last command in the background. */
const starts = {
  "nohup, from bash": ["bash", `nohup ${exporting} & echo $! > pid; wait $!`],
  "a script under nohup": ["bash", `echo "${exporting} & echo \\$! > pid; wait \\$!" > run; nohup sh run`],
  "nohup, from sh on a terminal": ["script", `exec nohup ${exporting} 2>> nohup.out`]
} as const

layer(service, { excludeTestServices: true })("SIGHUP", (it) => {
  /** Starts a script in a folder of its own, waits until users are being read, and sends the signal to `pid`. */
  const hangUp = Effect.fnUntraced(function* (shell: "bash" | "script", script: string) {
    const { url } = yield* EmulatorServer.EmulatorServer
    const emulator = yield* Emulator.Emulator
    const faults = yield* emulator.faults.get
    yield* Effect.addFinalizer(() => emulator.faults.set(faults))
    yield* emulator.faults.set([Fault.latency("100 millis"), ...faults])
    yield* emulator.journal.clear
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-hangup-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    writeFileSync(join(folder, "users.txt"), lines.join("\n"))
    const [first, ...rest] =
      shell === "bash" ? ["bash", "-c", script] : ["script", "-qec", `echo $$ > pid; ${script}`, "/dev/null"]
    const child = spawn(first ?? "", rest, {
      cwd: folder,
      // As in a shell that has just been started: `_` is what started the tests.
      env: { ...bareEnvironment, ...settings(url), SHELL: "/bin/sh" },
      stdio: ["pipe", "pipe", "pipe"]
    })
    const printed = text(child.stdout)
    const errors = text(child.stderr)
    const seen = Effect.gen(function* () {
      while ((yield* emulator.journal.entries).length < 5) yield* Effect.sleep("20 millis")
    })
    yield* Effect.promise(() => before(child, Effect.runPromise(seen)))
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"))
    for (let i = 0; i < 3; i++) process.kill(pid, "SIGHUP")
    yield* Effect.promise(() => once(child, "close"))
    const output = (yield* Effect.promise(() => printed)) + (yield* Effect.promise(() => errors))
    return { code: child.exitCode, folder, output, url }
  })

  for (const [name, [shell, script]] of Object.entries(starts)) {
    it.effect(`${name}: it is not heard`, () =>
      Effect.gen(function* () {
        const { code, folder, output } = yield* hangUp(shell, script)
        assert.strictEqual(code, 0, output)
        assertComplete(yield* read(join(folder, "out.ndjson"), "ndjson"), world, lines)
      }).pipe(Effect.scoped)
    )
  }

  for (const [shell, script] of [
    ["bash", `echo $$ > pid; exec ${exporting}`],
    ["script", `exec ${exporting}`]
  ] as const) {
    it.effect(`from ${shell}: what is under way is finished and saved, and it can go on`, () =>
      Effect.gen(function* () {
        const { code, folder, output, url } = yield* hangUp(shell, script)
        assert.strictEqual(code, 130, output)
        assert.match(output, /stopping: finishing the users that are under way/)
        assert.notInclude(output, "stopping now")
        assert.match(output, /stopped: \d+ of 32 users are done and saved\r?$/m)
        assert.isTrue(existsSync(join(folder, "out.ndjson.checkpoint")))
        const file = join(folder, "out.ndjson")
        const users = join(folder, "users.txt")
        const args = [
          "conversations",
          "export",
          "--users",
          users,
          "--out",
          file,
          "--calls-per-second",
          "1000",
          "--resume"
        ]
        const resumed = yield* invokeAt(url, args)
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.match(resumed.stderr, /going on after \d+ users/)
        assertComplete(yield* read(file, "ndjson"), world, lines)
      }).pipe(Effect.scoped)
    )
  }
})
