/**
 * `zim` as its users have it: installed from its tarball, without any other package, on each Node that it supports.
 */
import { Effect, FileSystem, Schema } from "effect"
import * as Command from "./Command.ts"
import * as EmulatorProcess from "./emulatorProcess.ts"
import { CheckFailed } from "./Step.ts"
import type { Tarball } from "./Tarballs.ts"

const offline = ["--offline", "--no-audit", "--no-fund"]

/** Installs as `npm install --global` does, and returns the folder of the package. */
export const install = Effect.fnUntraced(function* ({ file, name }: Tarball) {
  const fs = yield* FileSystem.FileSystem
  const prefix = yield* fs.makeTempDirectoryScoped({ prefix: "effect-zim-cli-" })
  yield* Command.succeed("npm", ["install", "--global", "--prefix", prefix, ...offline, file])
  const modules = `${prefix}/lib/node_modules`
  const installed = (yield* fs.readDirectory(modules)).filter((name) => !name.startsWith("."))
  const nested = yield* fs.exists(`${modules}/${name}/node_modules`)
  if (installed.join() !== "@effect-zim" || nested) {
    return yield* new CheckFailed({ output: `${file} does not come alone: ${installed.join(", ")}` })
  }
  yield* Command.succeed(`${prefix}/bin/zim`, ["--version"])
  return `${modules}/${name}`
})

/** Prints the modules of Node that are loaded at the end, and breaks what is slow to load. */
const probe = `
import { appendFileSync } from "node:fs"
Object.defineProperty(Intl, "Segmenter", { get: () => { throw new Error("loads what Node knows of Unicode") } })
process.on("exit", () => {
  const loaded = process.moduleLoadList.filter((name) => name.startsWith("NativeModule"))
  appendFileSync(process.env.PROBE_FILE, loaded.map((name) => name + "\\n").join(""))
})
`

/** In bytes: 30,344 today. Node parses all of it each time. */
const largestStart = 30_500

/** Starts that are fast: counted in what is loaded, which no noise disturbs. */
const startsFast = Effect.fnUntraced(function* (node: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  // Without the program beside it.
  const cwd = yield* fs.makeTempDirectoryScoped({ prefix: "effect-zim-start-" })
  yield* fs.copyFile(`${folder}/dist/bin.js`, `${cwd}/bin.mjs`)
  yield* fs.writeFileString(`${cwd}/probe.mjs`, probe)
  yield* fs.writeFileString(`${cwd}/least.mjs`, `import { stdout } from "node:process"\nstdout.write("least")\n`)
  const loadedBy = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
    const env = { PROBE_FILE: `${cwd}/${args.join("-")}.txt` }
    yield* Command.succeed(node, ["--import", `${cwd}/probe.mjs`, ...args], { cwd, env })
    return (yield* fs.readFileString(env.PROBE_FILE)).split("\n")
  })
  const { size } = yield* fs.stat(`${cwd}/bin.mjs`)
  if (size > largestStart)
    return yield* new CheckFailed({ output: `bin.js has ${size} bytes, more than ${largestStart}` })
  const least = new Set(yield* loadedBy(["least.mjs"]))
  for (const args of [["--version"], ["codes"], ["codes", "660300005"]]) {
    const more = (yield* loadedBy(["bin.mjs", ...args])).filter((name) => !least.has(name))
    if (more.length > 0) {
      return yield* new CheckFailed({ output: `zim ${args.join(" ")} loads more than it needs: ${more.join(", ")}` })
    }
  }
})

const Statistics = Schema.fromJsonString(Schema.Struct({ conversations: Schema.Int }))

/** Serves an emulator, exports from it to each format, and reads the exports back. */
const exports = Effect.fnUntraced(function* (node: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const cwd = yield* fs.makeTempDirectoryScoped({ prefix: "effect-zim-export-" })
  const zim = [node, `${folder}/dist/bin.js`] as const
  const world = ["--users", "20", "--seed", "1", "--quota-model", "unlimited", "--server-secret", "for this check only"]
  const { adminUrl, conversations, url } = yield* EmulatorProcess.start([...zim], world)
  const env = { ZIM_APP_ID: "12345", ZIM_SERVER_SECRET: "for this check only", ZIM_BASE_URL: url }
  const run = (args: ReadonlyArray<string>) => Command.succeed(node, [zim[1], ...args], { cwd, env })

  const users = Array.from({ length: 20 }, (_, i) => `user-${i + 1}\n`).join("")
  yield* fs.writeFileString(`${cwd}/users.txt`, users)
  for (const format of ["ndjson", "csv", "sqlite"]) {
    const out = `lists.${format}`
    const flags = ["--users", "users.txt", "--out", out, "--format", format, "--calls-per-second", "1000", "--quiet"]
    const said = yield* run(["conversations", "export", ...flags])
    if (said !== "") return yield* new CheckFailed({ output: `an export to ${format} says on the side:\n${said}` })
    const statistics = yield* run(["conversations", "stats", "--from", out, "--format", "json"])
    const read = yield* Schema.decodeEffect(Statistics)(statistics)
    if (read.conversations !== conversations) {
      return yield* new CheckFailed({ output: `${out} has ${read.conversations} of ${conversations} conversations` })
    }
  }
  const page = yield* Effect.promise(async () => (await fetch(adminUrl)).text())
  if (!/<style>[^<]+<\/style>/.test(page)) {
    return yield* new CheckFailed({ output: `the inspector's page is not whole:\n${page.slice(0, 500)}` })
  }
})

/** What the bundled program does, on one Node. */
export const check = Effect.fnUntraced(function* (node: string, folder: string, version: string) {
  const bin = `${folder}/dist/bin.js`
  const expect = Effect.fnUntraced(function* (args: ReadonlyArray<string>, expected: (output: string) => boolean) {
    const output = yield* Command.succeed(node, [bin, ...args])
    if (!expected(output)) {
      return yield* new CheckFailed({ output: `${node}: zim ${args.join(" ")} printed\n${output}` })
    }
  })
  yield* expect(["--version"], (output) => output === `zim ${version}\n`)
  yield* expect(["--version", "--log-level", "info"], (output) => output === `zim ${version}\n`)
  yield* expect(["codes"], (output) => output.includes("660300005"))
  yield* expect(["--help"], (output) => output.includes("EXIT CODES"))
  yield* startsFast(node, folder)
  yield* exports(node, folder)
})
