import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { text } from "node:stream/consumers"
import { bareEnvironment, program } from "./support.ts"

/** Runs the program in a line of the shell, where it is `"$@"`. */
const shell = async (line: string, args: ReadonlyArray<string>) => {
  const child = spawn("bash", ["-c", line, "bash", ...program, ...args], {
    env: bareEnvironment,
    stdio: ["ignore", "ignore", "pipe"]
  })
  const [stderr] = await Promise.all([text(child.stderr), once(child, "close")])
  return { code: child.exitCode, stderr }
}

/** Everything that is printed without a service: by a short answer, by Effect's command line, and by commands. */
const answers = [
  [],
  ["--help"],
  ["--version"],
  ["--version", "--quiet"],
  ["--completions", "bash"],
  ["emulator"],
  ["codes", "--help"],
  ["codes"],
  ["codes", "--format", "csv"]
].map((args) => ({ args, name: ["zim", ...args].join(" ") }))

describe("standard output", () => {
  it
    .runIf(existsSync("/dev/full"))
    .concurrent.each([...answers, { args: ["emulator", "start", "--port", "0"], name: "zim emulator start" }])(
    "$name > /dev/full is an error",
    async ({ args }) => {
      const { code, stderr } = await shell('exec "$@" > /dev/full', args)
      assert.match(stderr, /^error: cannot write the output: ENOSPC[^\n]*\nhelp: [^\n]+\n$/)
      assert.strictEqual(code, 1)
    }
  )

  it.concurrent.each(answers)("$name | true is none", async ({ args }) => {
    assert.deepStrictEqual(await shell('"$@" | true; exit ${PIPESTATUS[0]}', args), { code: 0, stderr: "" })
  })
})
