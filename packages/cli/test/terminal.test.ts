import { assert, layer } from "@effect/vitest"
import { Emulator, Fault } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect } from "effect"
import { CliOutput } from "effect/cli"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { bareEnvironment, matchGolden, program, service, settings } from "./support.ts"

/** What is looked at, as it is typed. */
const commands = {
  help: "zim conversations export --help",
  table: "zim conversations list ada",
  progress: 'zim conversations export --users users.txt --out "$1" --concurrency 1 --calls-per-second 1000',
  chart: "zim conversations stats ada",
  doctor: "zim doctor --user stranger; ZIM_BASE_URL=http://127.0.0.1:1 zim doctor",
  error: "zim conversations list stranger"
}

/** Separates the commands' outputs. */
const separator = "\u001E"

const script = (first: string) =>
  [
    first,
    `zim() { ${program.map((word) => `'${word}'`).join(" ")} "$@"; }`,
    ...Object.values(commands).map((command) => `{ ${command}; } 2>&1; printf '${separator}'`)
  ].join("\n")

/** What the commands print, on a terminal of 80 columns or in a pipe. */
const outputs = async (
  where: "terminal" | "pipe",
  env: Record<string, string>,
  folder: string
): Promise<ReadonlyArray<string>> => {
  const file = join(folder, `${where}-${env["TERM"]}-${env["NO_COLOR"]}`)
  writeFileSync(file, script(where === "terminal" ? "stty cols 80 rows 24 -echo" : ""))
  // `script` of util-linux runs a command on a terminal of its own.
  const [first, ...rest] =
    where === "terminal"
      ? ["script", "-qec", `bash '${file}' '${file}.out'`, "/dev/null"]
      : ["bash", file, `${file}.out`]
  const child = spawn(first ?? "", rest, {
    cwd: folder,
    env: { ...bareEnvironment, ...env },
    stdio: ["pipe", "pipe", "pipe"]
  })
  const [printed, problem] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
  assert.strictEqual(problem, "")
  return printed.replaceAll("\r\n", "\n").split(separator)
}

/** Without what differs from run to run. */
const stable = (text: string): string =>
  text
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:9460")
    .replaceAll(/\b(?:\d+s )?\d+( ?)ms\b/g, "1$1ms")
    .replaceAll(/(request id\s)\d+/g, "$11")
    .replaceAll(/in \d+s \([\d.]+\/s\)/g, "in 5s (0.7/s)")
    .replaceAll(/see \S+\.failures/g, "see OUT.failures")

const clearLine = "\r\u001B[2K"

/** Of a line that is rewritten, how it begins and what is left of it. */
const first = (progress: string): string => {
  const parts = progress.split(clearLine).filter((part) => part !== "")
  const status = parts.filter((part) => part.includes("calls/s"))
  assert.isAbove(new Set(status).size, 1, "it is rewritten")
  for (const part of status) assert.isBelow(CliOutput.displayWidth(part), 80)
  return [status[0], ...parts.filter((part) => !part.includes("calls/s"))].join(clearLine)
}

/** Of lines every few seconds, one. */
const plain = (progress: string): string =>
  progress.replace(
    /^(?:\d\/3 users,.* \d+\.\d\/1000 calls\/s, 0 rejected, 0 retried, \d+ conversations\n)+/,
    "1/3 users, 5s left, 0.2/1000 calls/s, 0 rejected, 0 retried, 6 conversations\n"
  )

const modes = {
  terminal: { where: "terminal", env: { TERM: "xterm-256color" } },
  dumb: { where: "terminal", env: { TERM: "dumb" } },
  "no-color": { where: "terminal", env: { TERM: "xterm-256color", NO_COLOR: "1" } },
  pipe: { where: "pipe", env: {} }
} as const

layer(service, { excludeTestServices: true })(
  "on a real terminal of 80 columns, with NO_COLOR, and in a pipe",
  (it) => {
    it.effect(
      "help, table, progress, chart, doctor and an error",
      () =>
        Effect.gen(function* () {
          const { url } = yield* EmulatorServer.EmulatorServer
          const emulator = yield* Emulator.Emulator
          // Long enough for a line of progress in a pipe, which has one every five seconds.
          const slow = Fault.latency("2700 millis").pipe(Fault.when(Fault.user("two-pages")))
          yield* emulator.faults.update((faults) => [slow, ...faults])
          const folder = yield* Effect.acquireRelease(
            Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-terminal-"))),
            (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
          )
          writeFileSync(join(folder, "users.txt"), "ada\nnobody-writes-me\ntwo-pages")
          yield* Effect.forEach(
            Object.entries(modes),
            Effect.fnUntraced(function* ([mode, { env, where }]) {
              const printed = yield* Effect.promise(() => outputs(where, { ...settings(url), ...env }, folder))
              for (const [i, name] of Object.keys(commands).entries()) {
                const text = stable(printed[i] ?? "")
                const shown =
                  name !== "progress" ? text : where === "pipe" || mode === "dumb" ? plain(text) : first(text)
                if (mode !== "terminal") assert.notInclude(shown.replaceAll(clearLine, ""), "\u001B", "colors")
                yield* matchGolden(shown, `${mode}/${name}`)
              }
            }),
            { concurrency: "unbounded", discard: true }
          )
        }).pipe(Effect.scoped),
      // Two dozen starts of the program, and waits by the clock.
      120_000
    )
  }
)
