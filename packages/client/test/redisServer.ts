/**
 * A `redis-server` of the test's own, without persistence: from the system's packages, on a free port. Where there is
 * none, `vitest.workspace.ts` leaves these tests out, loudly.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { endChild } from "./endChild.ts"
import { freePort } from "./freePort.ts"

/** Starts a server, and succeeds when it takes connections. */
const start = (port: number, folder: string, options: ReadonlyArray<string>) =>
  Effect.callback<ChildProcess, Error>((resume) => {
    const fixed = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
    const child = spawn("redis-server", ["--port", `${port}`, ...fixed, ...options])
    let output = ""
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString()
      if (output.includes("Ready to accept connections")) resume(Effect.succeed(child))
    })
    child.on("error", (error) => resume(Effect.fail(error)))
    child.on("exit", () => resume(Effect.fail(new Error(`redis-server ended: ${output}`))))
  })

const stop = (child: ChildProcess) => endChild(child, "SIGKILL")

export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Ends it at once, and what it knew is gone. */
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void, Error>
  /** Connections stay, but nothing is answered. */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
}

export const make = (...options: ReadonlyArray<string>): Effect.Effect<RedisServer, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-redis-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    )
    // Somebody else may take the port in between.
    const [port, first] = yield* Effect.retry(
      Effect.flatMap(freePort, (port) => Effect.map(start(port, folder, options), (child) => [port, child] as const)),
      { times: 5 }
    )
    let child = first
    yield* Effect.addFinalizer(() => Effect.suspend(() => stop(child)))
    return {
      port,
      url: `redis://127.0.0.1:${port}`,
      stop: Effect.suspend(() => stop(child)),
      start: Effect.map(start(port, folder, options), (again) => void (child = again)),
      freeze: Effect.sync(() => void child.kill("SIGSTOP")),
      thaw: Effect.sync(() => void child.kill("SIGCONT"))
    }
  })

/**
 * A connection of its own: what one process has. It connects again sooner than the tests' short `grace + timeout`, as the
 * promise of a share asks for.
 */
export const connection = (server: RedisServer, options?: { readonly username: string; readonly password: string }) =>
  NodeRedis.layer({ url: server.url, socket: { reconnectStrategy: () => 50 }, ...options })
