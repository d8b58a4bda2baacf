/**
 * A PostgreSQL of the test's own: from the system's packages, on a free port, in a folder that goes with it. Where there
 * is none, `vitest.workspace.ts` leaves these tests out, loudly.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
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

/** Its URL. */
export const make: Effect.Effect<string, Error, Scope.Scope> = Effect.gen(function* () {
  const as = user()
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-postgres-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )
  if (as !== undefined) chownSync(folder, as.uid, as.gid)
  chmodSync(folder, 0o700)
  execFileSync("initdb", ["-D", folder, "-U", "zim", "-A", "trust", "--no-sync"], {
    ...as,
    stdio: "ignore",
    cwd: folder
  })
  const port = yield* freePort
  const settings = ["-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${folder}`, "-c", "fsync=off"]
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn("postgres", ["-D", folder, "-p", `${port}`, ...settings], { ...as, cwd: folder })),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.on("exit", () => resume(Effect.void))
        // At once, whoever is connected.
        child.kill("SIGQUIT")
      })
  )
  yield* ready(child)
  return `postgres://zim@127.0.0.1:${port}/postgres`
})
