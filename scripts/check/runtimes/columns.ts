/** Each runtime, and each bundler: how the probe gets there, and what comes back. */
import { Effect, FileSystem, Record, Result, Schedule, Schema } from "effect"
import * as Command from "../Command.ts"
import { devDependencies } from "../devDependencies.ts"
import * as Nodes from "../nodes.ts"
import { CheckFailed, type Requirements, unusable } from "../Step.ts"
import * as Bundles from "./bundles.ts"
import { Answers, type Given, GivenJson, last, secret } from "./probe/Check.ts"
import * as Workerd from "./workerd.ts"

/** What is given, and where the packages are installed. */
export interface Asked {
  readonly given: Given
  readonly cwd: string
}

export interface Column {
  readonly name: string
  /** In the table of runtimes, or in that of bundlers. */
  readonly isBundler: boolean
  readonly answers: (asked: Asked) => Effect.Effect<Answers, CheckFailed, Requirements>
}

/** The packages that can be imported, by `require` too. */
const libraries = ["client", "durable", "emulator", "export", "node", "policies", "protocol", "signing", "testing"]

const requiring = libraries
  .map((name) => `if (Object.keys(require("@effect-zim/${name}")).length === 0) throw new Error("${name} is empty")\n`)
  .join("")

/** A nonce or a signature: digits of them that are no number. */
const credential = /\b(?=\d*[a-f])(?:[0-9a-f]{16}|[0-9a-f]{32})\b/

/** What a runtime's console has made of errors and clients. */
const leak = (output: string): string =>
  output.includes(secret)
    ? "its console shows the secret"
    : credential.test(output)
      ? "its console shows a nonce or a signature"
      : ""

const row = "Nothing that is printed shows a credential"

const withLeak = (answers: Answers, output: string): Answers =>
  answers[row] === "" ? { ...answers, [row]: leak(output) } : answers

const decodeLine = Schema.decodeResult(Schema.fromJsonString(Answers))

const answersIn = (output: string): Effect.Effect<Answers, CheckFailed> => {
  const line = output.split("\n").find((line) => line.startsWith("answers: ")) ?? ""
  const answers = decodeLine(line.slice("answers: ".length))
  return Result.isSuccess(answers)
    ? Effect.succeed(withLeak(answers.success, output))
    : Effect.fail(new CheckFailed({ output: `no answers in what was printed:\n${output}` }))
}

/** In a line of a table: what a program says last before it ends. */
const problemOf = ({ output }: CheckFailed): string =>
  output.split("\n").find((line) => /error/i.test(line) && !line.startsWith("$ ")) ?? "it fails"

const possible = (effect: Effect.Effect<unknown, CheckFailed, Requirements>) =>
  Effect.match(effect, { onSuccess: () => "", onFailure: problemOf })

type Program = readonly [string, ...ReadonlyArray<string>]

/** What is asked of the packages needs more of Deno than the client does; elsewhere they are one. */
interface Programs {
  readonly client: Program
  readonly packages?: Program
}

const env = { ZIM_APP_ID: "12345", ZIM_SERVER_SECRET: "no secret" }

const ask = ([program, ...args]: Program, file: string, { cwd, given }: Asked, which: ReadonlyArray<string>) =>
  Effect.flatMap(
    Command.succeed(program, [...args, file, Schema.encodeSync(GivenJson)(given), ...which], { cwd, env }),
    answersIn
  )

/** `zim`, and what has no program of its own. */
const outside = ([program, ...args]: Program, { cwd, given }: Asked) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const lists = `${given.folder}/zim.ndjson`
    yield* fs.writeFileString(`${given.folder}/users.txt`, "list\nsmall\n")
    const flags = ["--users", `${given.folder}/users.txt`, "--out", lists, "--calls-per-second", "1000", "--quiet"]
    const bin = `${cwd}/node_modules/@effect-zim/cli/dist/bin.js`
    const settings = { ZIM_APP_ID: `${given.appId}`, ZIM_SERVER_SECRET: secret, ZIM_BASE_URL: given.url }
    const exporting = Command.succeed(program, [...args, bin, "conversations", "export", ...flags], {
      cwd,
      env: settings
    }).pipe(
      Effect.andThen(fs.readFileString(lists)),
      Effect.flatMap((text) =>
        text.trim().split("\n").length === 251 ? Effect.void : new CheckFailed({ output: "error: lines are missing" })
      ),
      Effect.catchTag("PlatformError", unusable)
    )
    return {
      "`zim`: an export": yield* possible(exporting),
      "`require` of every package, from CommonJS": yield* possible(
        Command.succeed(program, [...args, `${cwd}/require.cjs`], { cwd })
      )
    }
  }).pipe(Effect.catchTag("PlatformError", unusable))

const ofPrograms =
  (programs: (folder: string) => Effect.Effect<Programs, CheckFailed, Requirements>): Column["answers"] =>
  (asked) =>
    Effect.gen(function* () {
      const { client, packages } = yield* programs(asked.given.folder)
      const file = `${asked.cwd}/probe/program.js`
      const runs =
        packages === undefined
          ? [ask(client, file, asked, ["client", "packages"]), outside(client, asked)]
          : [ask(client, file, asked, ["client"]), ask(packages, file, asked, ["packages"]), outside(packages, asked)]
      const answers = yield* Effect.all(runs, { concurrency: "unbounded" })
      return Object.fromEntries(answers.flatMap((some) => Object.entries<string>(some)))
    })

const node = (version: string, program: Effect.Effect<string, CheckFailed, Requirements>): Column => ({
  name: `Node ${version}`,
  isBundler: false,
  answers: ofPrograms(() => Effect.map(program, (path) => ({ client: [path] })))
})

const bin = (name: string) => `${Command.root}/packages/client/node_modules/.bin/${name}`

/** Where the client is to call, and what else needs the environment, a folder, and who its files belong to. */
export const permissions = (folder: string) => {
  const client = ["--allow-net=127.0.0.1"]
  const files = [`--allow-read=${folder}`, `--allow-write=${folder}`]
  return { client, packages: [...client, "--allow-env", ...files, "--allow-sys=uid"] }
}

const bun = (version: string): Column => ({
  name: `Bun ${version}`,
  isBundler: false,
  answers: ofPrograms(() => Effect.succeed({ client: [bin("bun")] }))
})

const denoProgram = [bin("deno"), "run", "--no-prompt", "--cached-only"] as const

/** None of the permissions can be left out. */
const assertLeast = Effect.fnUntraced(function* (asked: Asked) {
  const { client, packages } = permissions(asked.given.folder)
  for (const one of packages.filter((flag) => !client.includes(flag))) {
    const others = packages.filter((flag) => flag !== one)
    const answers = yield* ask([...denoProgram, ...others], `${asked.cwd}/probe/program.js`, asked, ["packages"])
    if (Object.values(answers).every((answer) => answer === "")) {
      return yield* new CheckFailed({ output: `nothing needs ${one}` })
    }
  }
})

const deno = (version: string, isThorough: boolean): Column => ({
  name: `Deno ${version}`,
  isBundler: false,
  answers: (asked) =>
    Effect.tap(
      ofPrograms((folder) => {
        const { client, packages } = permissions(folder)
        return Effect.succeed({ client: [...denoProgram, ...client], packages: [...denoProgram, ...packages] })
      })(asked),
      () => (isThorough ? assertLeast(asked) : Effect.void)
    )
})

/** Which of them a package asks for first differs from run to run. */
const noNode = "it has no modules of Node's"

const workerd = (version: string, ...flags: ReadonlyArray<string>): Column => ({
  name: [`workerd ${version}`, ...flags.map((flag) => `\`${flag}\``)].join(" with "),
  isBundler: false,
  answers: ({ cwd, given }) =>
    Effect.gen(function* () {
      const { printed, url } = yield* Workerd.serve(`${cwd}/workerd`, flags)
      const body = Schema.encodeSync(GivenJson)({ ...given, folder: "" })
      const text = yield* Effect.tryPromise({
        try: async () => (await fetch(url, { method: "POST", body })).text(),
        catch: () => new CheckFailed({ output: `workerd does not answer; it printed:\n${printed()}` })
      })
      yield* Effect.sync(printed).pipe(
        Effect.repeat({
          until: (output) => last.every((line) => output.includes(line)),
          schedule: Schedule.spaced("20 millis")
        }),
        Effect.timeoutOrElse({
          duration: "10 seconds",
          orElse: () => new CheckFailed({ output: `workerd has not printed everything, only:\n${printed()}` })
        })
      )
      const answers = yield* answersIn(`answers: ${text}\n${printed()}`)
      return {
        ...Record.map(answers, (answer) => (answer.startsWith('No such module "node:') ? noNode : answer)),
        "`zim`: an export": "it runs no programs",
        "`require` of every package, from CommonJS": "it has ES modules only"
      }
    }).pipe(Effect.scoped, Effect.catchTag("PlatformError", unusable))
})

/** What is bundled runs on the workspace's Node. */
const bundler = (name: string, version: string, bundle: (typeof Bundles.bundlers)["vite"]): Column => ({
  name: `${name} ${version}`,
  isBundler: true,
  answers: (asked) => {
    const output = `${asked.cwd}/bundled-by-${name}`
    return Effect.andThen(
      bundle({ cwd: asked.cwd, input: `${asked.cwd}/probe/program.js`, output }),
      ask([process.execPath], `${output}/program.mjs`, asked, ["client", "packages"])
    )
  }
})

const versionsIn = (file: string) =>
  Effect.map(
    devDependencies(file),
    (versions) =>
      (name: string): string =>
        versions[name] ?? "?"
  )

/** All of them; where `isThorough` says so with those that have to be fetched first, and with what takes longer. */
export const columns = Effect.fnUntraced(function* (isThorough: boolean) {
  const root = yield* versionsIn("package.json")
  const client = yield* versionsIn("packages/client/package.json")
  const [oldest, newest] = Nodes.versions
  const fetched = (version: string) => (isThorough ? [node(version, Nodes.programOf(version))] : [])
  return [
    ...fetched(oldest),
    node(root("node"), Effect.succeed(process.execPath)),
    ...fetched(newest),
    bun(client("bun")),
    deno(client("deno"), isThorough),
    workerd(client("workerd")),
    workerd(client("workerd"), "nodejs_compat"),
    bundler("esbuild", root("esbuild"), Bundles.bundlers.esbuild),
    bundler("Rolldown", root("rolldown"), Bundles.bundlers.rolldown),
    bundler("Vite", root("vite"), Bundles.bundlers.vite),
    bundler("webpack", root("webpack"), Bundles.bundlers.webpack)
  ]
})

/** Once for all of them: the probe in JavaScript, the same for workerd, and a program that is CommonJS. */
export const prepare = Effect.fnUntraced(
  function* (cwd: string) {
    const fs = yield* FileSystem.FileSystem
    yield* Effect.promise(() => Bundles.strip(`${Command.root}/scripts/check/runtimes/probe`, `${cwd}/probe`))
    yield* Bundles.worker({ cwd, input: `${cwd}/probe/worker.js`, output: `${cwd}/workerd` })
    yield* fs.writeFileString(`${cwd}/require.cjs`, requiring)
  },
  Effect.catchTag("PlatformError", unusable)
)
