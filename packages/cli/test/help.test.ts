import { assert, describe, it } from "@effect/vitest"
import { ExitCode } from "@effect-zim/cli"
import { ReturnCode } from "@effect-zim/protocol"
import { Effect } from "effect"
import { CliOutput } from "effect/cli"
import { readFile } from "node:fs/promises"
import { invoke, matchGolden, start, zim } from "./support.ts"

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8")

const assertFits = (text: string): void => {
  for (const line of text.split("\n")) assert.isAtMost(CliOutput.displayWidth(line), 80, line)
}

describe("help", () => {
  const pages = [
    [],
    ["conversations"],
    ["conversations", "list"],
    ["conversations", "export"],
    ["conversations", "stats"],
    ["emulator"],
    ["emulator", "start"],
    ["codes"]
  ]
  for (const path of pages) {
    it.live(`zim ${[...path, "--help"].join(" ")}`, () =>
      Effect.gen(function* () {
        const outcome = yield* invoke([...path, "--help"])
        assert.strictEqual(outcome.code, 0)
        assert.strictEqual(outcome.stderr, "")
        assertFits(outcome.stdout)
        assert.include(outcome.stdout, "EXAMPLES\n", "every command shows examples")
        yield* matchGolden(outcome.stdout, `help${path.map((name) => `-${name}`).join("")}`)
      })
    )
  }

  it.live("a group of commands alone shows its help", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* invoke(["emulator"]), yield* invoke(["emulator", "--help"]))
      assert.deepStrictEqual(yield* invoke([]), yield* invoke(["--help"]))
    })
  )

  it.live("styles are for terminals that want them", () =>
    Effect.gen(function* () {
      const shown = yield* invoke(["--help"], { columns: 80 })
      const plain = yield* invoke(["--help"], { columns: 80, env: { NO_COLOR: "1" } })
      assert.include(shown.stdout, "\u001B[1mUSAGE\u001B[0m")
      assert.notInclude(plain.stdout, "\u001B")
    })
  )

  it("--version, as a process", async () => {
    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"))
    assert.deepStrictEqual(await zim(["--version"]), { code: 0, stdout: `zim ${version}\n`, stderr: "" })
  })

  it.live("completions name the commands", () =>
    Effect.gen(function* () {
      for (const shell of ["bash", "zsh", "fish"]) {
        const outcome = yield* invoke(["--completions", shell])
        assert.strictEqual(outcome.code, 0)
        for (const name of ["conversations", "emulator", "codes"]) assert.include(outcome.stdout, name, shell)
      }
    })
  )

  it("the README has every exit code", () => {
    const rows = readme.split("\n").map((line) => line.replaceAll(/ *\| */g, "|"))
    for (const { code, meaning } of Object.values(ExitCode.table)) assert.include(rows, `|${code}|${meaning}|`)
  })
})

describe("zim codes", () => {
  it.live("the table", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["codes"])
      assert.strictEqual(outcome.code, 0)
      assertFits(outcome.stdout)
      for (const { code, error } of ReturnCode.table)
        assert.match(outcome.stdout, new RegExp(`^${code} +${error} `, "m"))
      yield* matchGolden(outcome.stdout, "codes")
    })
  )

  it.live("each code in detail: meaning, category, retry, class and advice", () =>
    Effect.gen(function* () {
      for (const row of ReturnCode.table) {
        const { stdout } = yield* invoke(["codes", String(row.code)])
        assertFits(stdout)
        const flat = stdout.replaceAll(/\s+/g, " ")
        for (const part of [String(row.code), row.meaning, row.category, row.error, row.advice]) {
          assert.include(flat, part)
        }
      }
      const { stdout } = yield* invoke(["codes", "660300005"])
      yield* matchGolden(stdout, "codes-660300005")
    })
  )

  it.live("as JSON: numbers stay numbers", () =>
    Effect.gen(function* () {
      const { stdout } = yield* invoke(["codes", "--format", "json"])
      assert.deepStrictEqual(
        JSON.parse(stdout),
        ReturnCode.table.map(({ advice, category, code, error, meaning, retry }) => ({
          code,
          meaning,
          category,
          retry,
          error,
          advice
        }))
      )
    })
  )

  it("a pipe that is closed at once is no error", async () => {
    const child = start(["codes"])
    child.stdout.destroy()
    const code = await new Promise((resolve) => child.once("close", resolve))
    assert.strictEqual(code, 0)
  })
})
