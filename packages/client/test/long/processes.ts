/** Real processes against an emulator, over HTTP, for a minute. */
import { Emulator, ServiceQuota } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Emulated from "../emulated.ts"
import * as FakeService from "../fakeService.ts"

/** Some calls ended like this. */
const decodeEnded = Schema.decodeEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Int)))

interface Running {
  readonly child: ChildProcessWithoutNullStreams
  /** What it has said. */
  readonly lines: Array<string>
}

const start = (parameters: ReadonlyArray<string>): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const script = fileURLToPath(new URL("process.ts", import.meta.url))
      const child = spawn(process.execPath, ["--conditions=@effect-zim/source", script, ...parameters])
      const lines: Array<string> = []
      child.stdout.on("data", (data: Buffer) => lines.push(...data.toString().split("\n").filter(Boolean)))
      child.stderr.on("data", (data: Buffer) => lines.push(`error: ${data.toString()}`))
      child.on("exit", (code) => lines.push(`exit ${code}`))
      return { child, lines }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

/** The nth line, when it is there. */
const line = (running: Running, n: number): Effect.Effect<string> =>
  Effect.suspend(() => {
    const found = running.lines[n]
    return found === undefined ? Effect.andThen(Effect.sleep("20 millis"), line(running, n)) : Effect.succeed(found)
  })

/** Runs so many processes for a minute. How many calls ended how, and what the service says to that. */
export const run = Effect.fnUntraced(function* (count: number, redis?: string) {
  const emulator = Emulator.layer({
    world: Emulated.worldOf(FakeService.entries(3)),
    // The strictest of all: any second, and rejected calls count too.
    quota: ServiceQuota.sliding({ countRejected: true })
  })
  const context = yield* Layer.build(EmulatorServer.layer().pipe(Layer.provideMerge(emulator)))
  return yield* Effect.gen(function* () {
    const { url } = yield* EmulatorServer.EmulatorServer
    const running = yield* Effect.replicateEffect(start(redis === undefined ? [url] : [url, redis]), count)
    for (const one of running) {
      const said = yield* line(one, 0)
      if (said !== "ready") return yield* Effect.fail(new Error(one.lines.join("\n")))
    }
    for (const { child } of running) child.stdin.write("go\n")
    const totals: Record<string, number> = {}
    for (const one of running) {
      const ended = yield* Effect.flatMap(line(one, 1), decodeEnded)
      for (const [how, calls] of Object.entries(ended)) totals[how] = (totals[how] ?? 0) + calls
    }
    return totals
  }).pipe(Effect.provide(context))
})
