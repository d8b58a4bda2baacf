import { assert, describe, it } from "@effect/vitest"
import { ShortAnswer } from "@effect-zim/cli"
import { OperationCode, ReturnCode } from "@effect-zim/protocol"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, openSync } from "node:fs"
import { text } from "node:stream/consumers"
import { bareEnvironment, invoke, type Outcome, programOf } from "./support.ts"

const codes = [...ReturnCode.table, ...OperationCode.table].map(({ code }) => String(code))

const isShort = (args: ReadonlyArray<string>): boolean => ShortAnswer.find(args) !== undefined

/** A short answer, if there is one, is what the whole program answers. */
const assertSame = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const stdout = ShortAnswer.find(args)
  if (stdout === undefined) return
  assert.deepStrictEqual(yield* invoke(args), { code: 0, stdout, stderr: "" })
})

/** A process: `bin` gives short answers, `zim` does not. */
const run = async (
  name: "bin" | "zim",
  args: ReadonlyArray<string>,
  env: Record<string, string>,
  stdout: "pipe" | number = "pipe"
): Promise<Outcome> => {
  const [node = "", ...program] = programOf(name)
  const child = spawn(node, [...program, ...args], {
    env: { ...bareEnvironment, ...env },
    stdio: ["ignore", stdout, "pipe"]
  })
  const [printed, errors] = await Promise.all([
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
    once(child, "close")
  ])
  return { code: child.exitCode, stdout: printed, stderr: errors }
}

describe("short answers", () => {
  it("are for the version and the codes, alone", () => {
    for (const args of [["--version"], ["-v"], ["codes"], ...codes.map((code) => ["codes", code])]) {
      assert.isTrue(isShort(args), args.join(" "))
    }
    const others = [
      [],
      ["--help"],
      ["codes", "--help"],
      ["--version", "--help"],
      ["codes", "--version"],
      ["codes", "0"]
    ]
    for (const args of others) assert.isFalse(isShort(args), args.join(" "))
  })

  it.live("are what the program answers: every code", () =>
    Effect.forEach(codes, (code) => assertSame(["codes", code]))
  )

  const words = [
    "codes",
    "660300005",
    "0660300005",
    "99",
    "1",
    "01",
    "1.0",
    "--version",
    "-v",
    "--version=false",
    "--no-version",
    "--help",
    "-h",
    "-vh",
    "--quiet",
    "-q",
    "--log-level",
    "debug",
    "--format",
    "json",
    "--",
    "-",
    "",
    "conversations",
    "call",
    "emulator"
  ]

  it.live("are what the program answers, whatever else is on the command line", () => {
    const one = words.map((word) => [word])
    const two = one.flatMap((args) => words.map((word) => [...args, word]))
    const three = two.flatMap((args) => words.map((word) => [...args, word]))
    const short = [...one, ...two, ...three].filter(isShort)
    assert.deepStrictEqual(short, [["codes"], ["--version"], ["-v"], ["codes", "660300005"], ["codes", "1"]])
    return Effect.forEach(short, assertSame)
  })

  it("can be measured without Unicode", () => {
    for (const args of [["codes"], ...codes.map((code) => ["codes", code])]) {
      assert.match(ShortAnswer.find(args) ?? "", /^[\n\u0020-\u007E]+$/)
    }
  })

  for (const env of [{ FORCE_COLOR: "1" }, { FORCE_COLOR: "1", NO_COLOR: "1" }, { FORCE_COLOR: "1", TERM: "dumb" }]) {
    it(`have the colors of the program: ${Object.keys(env).join(", ")}`, async () => {
      const [short, long] = await Promise.all([run("bin", ["codes"], env), run("zim", ["codes"], env)])
      assert.strictEqual(short.stdout, long.stdout)
      assert.strictEqual(short.stdout.includes("\u001B"), Object.keys(env).length === 1)
    })
  }

  it.runIf(existsSync("/dev/full"))("fail as the program does where they cannot be written", async () => {
    const full = () => openSync("/dev/full", "w")
    const [short, long] = await Promise.all([run("bin", ["codes"], {}, full()), run("zim", ["codes"], {}, full())])
    assert.deepStrictEqual(short, long)
    assert.match(short.stderr, /^error: cannot write the output: .*ENOSPC/)
    assert.strictEqual(short.code, 1)
  })

  it("are given by any Node; the program says which one it needs", async () => {
    const old = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.18.1" } })`
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(old)}` }
    const [short, long] = await Promise.all([run("bin", ["codes", "1"], env), run("bin", ["codes", "5"], env)])
    assert.strictEqual(short.code, 0)
    assert.deepStrictEqual(long, {
      code: 1,
      stdout: "",
      stderr: "error: zim needs Node 22.19 or later, and this is 22.18.1\nhelp: Run it with a newer Node.\n"
    })
  })
})
