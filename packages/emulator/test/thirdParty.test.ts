/** The programs of `third-party/`: written from the vendor's documentation alone, each in a language of its own. */
import { Emulator, Fault, Journal, ServiceQuota } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import type { Conversation } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { appId, groups, secret, worldOf } from "./support.ts"

const folder = fileURLToPath(new URL("../third-party/", import.meta.url))

interface Client {
  readonly source: string
  /** The programs that it needs, with the arguments that show that they are there. */
  readonly needs: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]>
  readonly command: readonly [string, ...ReadonlyArray<string>]
  /** Is run first, in a folder for the result. */
  readonly compile?: readonly [string, ...ReadonlyArray<string>]
}

const source = (name: string) => join(folder, name)

const clients: ReadonlyArray<Client> = [
  {
    source: "list.sh",
    needs: [
      ["bash", "--version"],
      ["curl", "--version"],
      ["md5sum", "--version"],
      ["awk", "1", "/dev/null"]
    ],
    command: ["bash", source("list.sh")]
  },
  {
    source: "list.py",
    needs: [["python3", "-c", "import hashlib, urllib.request"]],
    command: ["python3", source("list.py")]
  },
  {
    source: "List.java",
    needs: [["java", "--list-modules"]],
    // It lives for a second or two.
    command: ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", source("List.java")]
  },
  {
    source: "list.pl",
    needs: [["perl", "-MHTTP::Tiny", "-MDigest::MD5", "-MJSON::PP", "-e", "1"]],
    command: ["perl", source("list.pl")]
  },
  {
    source: "list.rs",
    needs: [["rustc", "--version"]],
    command: ["./list"],
    compile: ["rustc", "--edition", "2021", "-D", "warnings", "-o", "list", source("list.rs")]
  }
]

const lacking = ({ needs }: Client): ReadonlyArray<string> =>
  needs.filter(([program, ...args]) => spawnSync(program, args).status !== 0).map((need) => need.join(" "))

const checked = clients.map((client) => ({ ...client, missing: lacking(client) }))
const here = checked.filter(({ missing }) => missing.length === 0)
const absent = checked.filter(({ missing }) => missing.length > 0)

for (const { missing, source } of absent) {
  const line = "!".repeat(100)
  console.error(`${line}\n${source} IS NOT TESTED: not on this machine: ${missing.join(", ")}\n${line}`)
}

// Braces that are no JSON, all kinds of types, one of them left out by the emulator.
const list: ReadonlyArray<Conversation.Wire> = groups(105).map((group, index) =>
  index % 3 === 0
    ? { ...group, ConvType: 0, ConvId: `{u}-${index} }{ ${index}` }
    : index % 7 === 0
      ? { ...group, ConvType: 3 }
      : group
)

const lines = list.map(({ ConvId, ConvType, UpdateTime }) => `${ConvType ?? 0}\t${ConvId}\t${UpdateTime}\n`).join("")

interface Ended {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}

const execute = (
  [file, ...args]: readonly [string, ...ReadonlyArray<string>],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> }
) =>
  Effect.callback<Ended>((resume, signal) => {
    execFile(file, args, { ...options, signal, timeout: 60_000 }, (error, stdout, stderr) =>
      resume(Effect.succeed({ code: error === null ? 0 : error.code, stdout, stderr }))
    )
  })

const inFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-third-party-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The program, compiled if need be: what becomes of it for a user. */
const prepare = Effect.fnUntraced(function* ({ command, compile }: Client) {
  const { url } = yield* EmulatorServer.EmulatorServer
  const cwd = yield* inFolder
  if (compile !== undefined) {
    const compiled = yield* execute(compile, { cwd, env: process.env })
    assert.deepStrictEqual(compiled, { code: 0, stdout: "", stderr: "" })
  }
  return (user: string, serverSecret = secret) =>
    execute([...command, user, "10"], {
      cwd,
      env: { ...process.env, ZIM_BASE_URL: url, ZIM_APP_ID: String(appId), ZIM_SERVER_SECRET: serverSecret }
    })
})

const server = () =>
  EmulatorServer.layer().pipe(
    Layer.provideMerge(
      Emulator.layer({
        world: worldOf({ u1: list, empty: [] }),
        reading: { emptyList: "Absent" },
        quota: ServiceQuota.sliding({ limit: 8 }),
        faults: [
          Fault.largeCursors,
          Fault.returnCode(1).pipe(Fault.when(Fault.nth(3))),
          Fault.returnCode(660300005).pipe(Fault.when(Fault.nth(6)))
        ]
      })
    )
  )

describe.concurrent("clients in other languages", () => {
  it("all of them are in the table of the README, and in this test", () => {
    const readme = readFileSync(join(folder, "README.md"), "utf8")
    const listed = Array.from(readme.matchAll(/^\| \[`([^`]+)`\]/gm), ([, name]) => name)
    const files = readdirSync(folder).filter((name) => name !== "README.md")
    assert.sameMembers(listed, files)
    assert.sameMembers(
      clients.map(({ source }) => source),
      files
    )
  })

  it("three of them at least run here", () => {
    assert.isAtLeast(here.length, 3)
  })

  for (const client of here) {
    it.live(
      `${client.source} prints the whole list, through rejections, and says what it is refused`,
      () =>
        Effect.gen(function* () {
          const { journal } = yield* Emulator.Emulator
          const run = yield* prepare(client)
          assert.deepStrictEqual(yield* run("u1"), { code: 0, stdout: lines, stderr: "" })
          const entries = yield* journal.entries
          const codes = entries.map(({ code }) => code)
          assert.isAtLeast(codes.filter((code) => code === 1).length, 1)
          assert.isAtLeast(codes.filter((code) => code === 660300005).length, 1)
          // Eleven pages; nothing was asked twice but what had been refused.
          assert.strictEqual(codes.filter((code) => code === 0).length, 11)
          assert.strictEqual(Journal.nonceReuses(entries), 0)

          const refused = yield* Effect.all(
            { empty: run("empty"), nobody: run("nobody"), stranger: run("u1", "another-secret") },
            { concurrency: 3 }
          )
          assert.deepStrictEqual(refused, {
            empty: { code: 0, stdout: "", stderr: "" },
            nobody: { code: 1, stdout: "", stderr: "660500002 User not registered\n" },
            stranger: { code: 1, stdout: "", stderr: "100000005 Signature wrong\n" }
          })
        }).pipe(Effect.scoped, Effect.provide(server())),
      90_000
    )
  }
})
