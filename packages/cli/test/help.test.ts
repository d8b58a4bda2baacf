import { assert, describe, it } from "@effect/vitest"
import { ExitCode } from "@effect-zim/cli"
import { OperationCode, ReturnCode } from "@effect-zim/protocol"
import { Effect } from "effect"
import { CliOutput } from "effect/cli"
import { spawnSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { invoke, matchGolden, zim } from "./support.ts"

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
    ["exports"],
    ...["submit", "list", "show", "failures", "pause", "resume", "cancel"].map((name) => ["exports", name]),
    ["worker"],
    ["worker", "start"],
    ["call"],
    ["doctor"],
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

  it.live("a group of commands alone shows its commands, and fits on 24 lines with the prompt", () =>
    Effect.forEach([[], ["conversations"], ["exports"], ["worker"], ["emulator"]], (path) =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* invoke(path, { columns: 80 })
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.isAtMost(stdout.split("\n").length, 24)
        assertFits(stdout)
        const whole = (yield* invoke([...path, "--help"], { columns: 80 })).stdout
        const commands = /COMMANDS.*?\n\n/s.exec(whole)?.[0] ?? assert.fail(whole)
        assert.include(stdout, commands)
        assert.include(stdout, `${["zim", ...path].join(" ")} --help`)
      })
    )
  )

  it.live("styles are for terminals that want them", () =>
    Effect.gen(function* () {
      const shown = yield* invoke(["--help"], { columns: 80 })
      assert.include(shown.stdout, "\u001B[1mUSAGE\u001B[0m")
      for (const env of [{ NO_COLOR: "1" }, { FORCE_COLOR: "0" }, { FORCE_COLOR: "false" }, { TERM: "dumb" }]) {
        const plain = yield* invoke(["--help"], { columns: 80, env })
        assert.notInclude(plain.stdout, "\u001B", JSON.stringify(env))
      }
    })
  )

  it("--version, as a process", async () => {
    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"))
    assert.deepStrictEqual(await zim(["--version"]), { code: 0, stdout: `zim ${version}\n`, stderr: "" })
  })

  it.live("completions name every command and every flag, in each shell", () =>
    Effect.gen(function* () {
      const helps = yield* Effect.forEach(pages, (path) =>
        Effect.map(invoke([...path, "--help"]), ({ stdout }) => stdout)
      )
      const flags = new Set(helps.join("\n").match(/(?<=^  (?:-\w, )?--)[a-z-]+/gm))
      assert.isAbove(flags.size, 20)
      for (const shell of ["bash", "zsh", "fish", "powershell"]) {
        const outcome = yield* invoke(["--completions", shell])
        assert.strictEqual(outcome.code, 0)
        for (const name of pages.flat()) assert.include(outcome.stdout, name, shell)
        for (const flag of flags) assert.match(outcome.stdout, new RegExp(`(?:--|-l )${flag}\\b`), `${shell}: ${flag}`)
      }
    })
  )

  it("bash completes commands, flags, choices and files", async () => {
    const { stdout: script } = await zim(["--completions", "bash"])
    const complete = (...words: ReadonlyArray<string>) => {
      const { stderr, stdout } = spawnSync(
        "bash",
        [
          "--norc",
          "-c",
          'eval "$SCRIPT"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; _zim zim "${@: -1}" "${@: -2:1}"; printf "%s\\n" "${COMPREPLY[@]}"',
          "bash",
          "zim",
          ...words
        ],
        { encoding: "utf8", cwd: fileURLToPath(new URL("golden", import.meta.url)), env: { SCRIPT: script } }
      )
      assert.strictEqual(stderr, "")
      return stdout.split("\n").filter((word) => word !== "")
    }
    assert.includeMembers(complete(""), ["conversations", "emulator", "codes"])
    assert.deepStrictEqual(complete("conversations", "exp"), ["export"])
    assert.includeMembers(complete("conversations", "list", "--"), ["--format", "--quiet", "--log-level", "--help"])
    assert.includeMembers(complete("--"), ["--version", "--completions"])
    assert.deepStrictEqual(complete("codes", "--format", "nd"), ["ndjson"])
    assert.deepStrictEqual(complete("codes", "--log-level", "tr"), ["trace"])
    assert.deepStrictEqual(complete("conversations", "stats", "--from", "help-cod"), ["help-codes.txt"])
  })

  it("the README has every exit code", () => {
    const rows = readme.split("\n").map((line) => line.replaceAll(/ *\| */g, "|"))
    for (const { code, meaning } of Object.values(ExitCode.table)) assert.include(rows, `|${code}|${meaning}|`)
  })
})

describe("zim codes", () => {
  const known = [
    ...ReturnCode.table,
    ...OperationCode.table.map((row) => ({ ...row, error: "OperationFailed" }))
  ].toSorted((a, b) => a.code - b.code)

  it.live("those that have to do with some words", () =>
    Effect.gen(function* () {
      const codesOf = (...words: ReadonlyArray<string>) =>
        Effect.map(invoke(["codes", ...words, "--format", "ndjson"]), ({ stdout }) =>
          stdout
            .trim()
            .split("\n")
            .map((line) => line.slice('{"code":'.length, line.indexOf(",")))
        )
      assert.deepStrictEqual(yield* codesOf("Text", "MODERATION"), ["660500004", "660500005"])
      assert.deepStrictEqual(yield* codesOf("RateLimit", "group", "room"), ["660300006"])
      assert.deepStrictEqual(yield* codesOf("660600001"), ["660600001"])
    })
  )

  it.live("the table", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["codes"])
      assert.strictEqual(outcome.code, 0)
      assertFits(outcome.stdout)
      for (const { code, error } of known) assert.match(outcome.stdout, new RegExp(`^${code} +${error} `, "m"))
      yield* matchGolden(outcome.stdout, "codes")
    })
  )

  it.live("each code in detail: meaning, category, retry, class and advice", () =>
    Effect.gen(function* () {
      for (const row of known) {
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
        known.map(({ advice, category, code, error, meaning, retry }) => ({
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
})
