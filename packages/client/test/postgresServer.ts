/**
 * A PostgreSQL of the test's own: from the system's packages, on a free port, in a folder that goes with it. Where there
 * is none, `vitest.workspace.ts` leaves these tests out, loudly.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { endChild } from "./endChild.ts"
import { freePort } from "./freePort.ts"

/** PostgreSQL refuses to run as root: then it runs as the user that its packages make. */
const user = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"]).toString())
  return { uid: idOf("-u"), gid: idOf("-g") }
}

const ready = (child: ChildProcess): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    let output = ""
    child.stderr?.on("data", (data: Buffer) => {
      output += data.toString()
      if (output.includes("ready to accept connections")) resume(Effect.void)
    })
    child.on("exit", () => resume(Effect.fail(new Error(`postgres ended: ${output}`))))
  })

const signal = (pids: ReadonlyArray<number>, name: NodeJS.Signals): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** The processes of a server: each connection has one. */
const childrenOf = (pid: number): ReadonlyArray<number> =>
  (
    spawnSync("pgrep", ["-P", `${pid}`])
      .stdout.toString()
      .match(/\d+/g) ?? []
  ).map(Number)

/** A folder of the right owner. */
const makeFolder = (as: ReturnType<typeof user>): string => {
  const folder = mkdtempSync(join(tmpdir(), "zim-postgres-"))
  if (as !== undefined) chownSync(folder, as.uid, as.gid)
  chmodSync(folder, 0o700)
  return folder
}

const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true })

let template: string | undefined

/** A cluster that nobody has used: it takes a second to make, and a tenth to copy. */
const templateOf = (as: ReturnType<typeof user>): string => {
  if (template !== undefined) return template
  const folder = makeFolder(as)
  process.on("exit", () => remove(folder))
  const options = ["-U", "zim", "-A", "trust", "--no-sync", "--no-instructions"]
  execFileSync("initdb", ["-D", folder, ...options], { ...as, stdio: "ignore", cwd: folder })
  return (template = folder)
}

export interface PostgresServer {
  readonly url: string
  /** Its folder. */
  readonly folder: string
  /** Ends it at once, as a crash does. */
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void, Error>
  /** Connections stay, but nothing is answered. */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
}

export const server: Effect.Effect<PostgresServer, Error, Scope.Scope> = Effect.gen(function* () {
  const as = user()
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => makeFolder(as)),
    (folder) => Effect.sync(() => remove(folder))
  )
  execFileSync("cp", ["-a", `${templateOf(as)}/.`, folder])
  const port = yield* freePort
  const settings = [
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    "fsync=off",
    "shared_buffers=16MB"
  ]
  const begin = () =>
    spawn("postgres", ["-D", folder, "-p", `${port}`, ...settings.flatMap((setting) => ["-c", setting])], {
      ...as,
      cwd: folder
    })
  let child = begin()
  const pid = () => child.pid ?? 0
  const thaw = Effect.sync(() => signal([...childrenOf(pid()), pid()], "SIGCONT"))
  // At once, whoever is connected.
  const stop = Effect.andThen(
    thaw,
    Effect.suspend(() => endChild(child, "SIGQUIT"))
  )
  yield* Effect.addFinalizer(() => stop)
  yield* ready(child)
  return {
    url: `postgres://zim@127.0.0.1:${port}/postgres`,
    folder,
    stop,
    start: Effect.suspend(() => ready((child = begin()))),
    freeze: Effect.sync(() => {
      signal([pid()], "SIGSTOP")
      signal(childrenOf(pid()), "SIGSTOP")
    }),
    thaw
  }
})

/** The URL of one. */
export const make: Effect.Effect<string, Error, Scope.Scope> = Effect.map(server, ({ url }) => url)
