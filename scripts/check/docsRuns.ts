/**
 * Runs the code of the documentation where a reader would: programs and shell blocks in a folder of their page, one after
 * the other, against an emulator; tests in Vitest as it is without settings.
 */
import { Effect, FileSystem, Schema } from "effect"
import { ChildProcess } from "effect/process"
import { randomBytes } from "node:crypto"
import { createServer } from "node:net"
import * as Command from "./Command.ts"
import type * as DocsExamples from "./docsExamples.ts"
import * as EmulatorProcess from "./emulatorProcess.ts"
import * as Programs from "./Programs.ts"
import * as Step from "./Step.ts"

/** Where everything is written to. */
export const folder = `${Command.root}/.docs-examples`

export interface Example extends DocsExamples.Block {
  /** The file it stands in, relative to the root. */
  readonly source: string
  readonly isMarkdown: boolean
  /** Where it is written to for the compiler. */
  readonly file: string
  /** The block after it on its page. */
  readonly next: DocsExamples.Block | undefined
}

const where = ({ line, source }: Example) => `${source}:${line}`

export const broken = (example: Example, problem: string) =>
  new Step.CheckFailed({ output: `${where(example)}: ${problem}` })

const zim = ["--conditions=@effect-zim/source", `${Command.root}/packages/cli/src/bin.ts`]
const tools = `${folder}/tools`

/** `zim`, as if it were installed. */
const writeTools = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(tools)
  yield* fs.writeFileString(`${tools}/zim`, `#!/bin/sh\nexec node ${zim.join(" ")} "$@"\n`, { mode: 0o755 })
})

const freePort = Effect.callback<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** A Redis without persistence, for as long as the scope lasts. Clients wait until it is there. */
const redis = Effect.gen(function* () {
  const port = yield* freePort
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
  yield* ChildProcess.make("redis-server", args, { stdin: "ignore", stdout: "ignore", stderr: "ignore" })
  const ping = Command.run("redis-cli", ["-p", `${port}`, "ping"])
  yield* Effect.repeat(ping, { while: ({ code }) => code !== 0, times: 100 })
  return `redis://127.0.0.1:${port}`
})

const needsRedis = ({ code }: Example) => code.includes("REDIS_URL")

/** Whether what it needs is on this machine. */
export const canRun = (example: Example): boolean => Programs.hasRedis || !needsRedis(example)

/** What the blocks find in their environment. */
const settings = Effect.fnUntraced(function* (examples: ReadonlyArray<Example>) {
  const serverSecret = randomBytes(16).toString("hex")
  const world = ["--users", "20", "--seed", "1", "--app-id", "12345", "--server-secret", serverSecret]
  const { url } = yield* EmulatorProcess.start(["node", ...zim], world)
  return {
    PATH: `${tools}:${Command.path}`,
    // Most of their time goes into loading the same modules.
    NODE_COMPILE_CACHE: `${folder}/cache`,
    ZIM_APP_ID: "12345",
    ZIM_SERVER_SECRET: serverSecret,
    ZIM_BASE_URL: url,
    ...(examples.some(needsRedis) && { REDIS_URL: yield* redis })
  }
})

const run = Effect.fnUntraced(function* (
  example: Example,
  cwd: string,
  env: Effect.Success<ReturnType<typeof settings>>
) {
  const [program, args] =
    example.language === "sh"
      ? (["bash", ["-euo", "pipefail", "-c", example.code]] as const)
      : (["node", ["--conditions=@effect-zim/source", example.file]] as const)
  const { code, output } = yield* Command.run(program, args, { cwd, env, timeout: "1 minute" }).pipe(
    Effect.mapError((error) => broken(example, error.output))
  )
  if (output.includes(env.ZIM_SERVER_SECRET)) return yield* broken(example, "printed the server secret")
  if (code !== 0) return yield* broken(example, `ended with exit code ${code}:\n${output}`)
})

/** Runs programs and shell blocks: those of a page in their order, in a folder with `users.txt`. */
export const programs = Effect.fnUntraced(
  function* (examples: ReadonlyArray<Example>) {
    const fs = yield* FileSystem.FileSystem
    yield* writeTools
    const env = yield* settings(examples)
    const page = Effect.fnUntraced(
      function* (source: string, blocks: ReadonlyArray<Example>) {
        const cwd = `${folder}/${source.replaceAll("/", "-")}`
        yield* fs.makeDirectory(cwd)
        yield* fs.writeFileString(`${cwd}/users.txt`, "user-1\nuser-2\nuser-3\nnobody\n")
        yield* Step.all(blocks.map((block) => run(block, cwd, env)))
      },
      Effect.catchTag("PlatformError", Step.unusable)
    )
    const pages = Object.entries(Object.groupBy(examples, ({ source }) => source))
    yield* Step.all(
      pages.map(([source, blocks = []]) => page(source, blocks)),
      { concurrency: 2 }
    )
  },
  Effect.scoped,
  Effect.catchTag("PlatformError", Step.unusable)
)

const Report = Schema.fromJsonString(
  Schema.Struct({
    testResults: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        message: Schema.String,
        assertionResults: Schema.Array(
          Schema.Struct({ status: Schema.String, failureMessages: Schema.Array(Schema.String) })
        )
      })
    )
  })
)

/** Vitest as it is without settings, but for the sources in place of packages, and for the same examples in each run. */
const config = `export default {
  resolve: { conditions: ["@effect-zim/source", "node"] },
  ssr: { resolve: { conditions: ["@effect-zim/source", "node"] } },
  test: { setupFiles: [${JSON.stringify(`${Command.root}/vitest.setup.ts`)}] }
}
`

/** The law that a test breaks, by the text that stands after it on its page. */
const lawOf = ({ next }: Example): string | undefined =>
  next?.language === "text" ? /^LawBroken: .*$/m.exec(next.code)?.[0] : undefined

/** Runs tests: each passes, or fails as its page says. */
export const tests = Effect.fnUntraced(
  function* (examples: ReadonlyArray<Example>) {
    if (examples.length === 0) return
    const fs = yield* FileSystem.FileSystem
    const file = `${folder}/report.json`
    yield* fs.writeFileString(`${folder}/vitest.config.mjs`, config)
    const args = ["run", "--root", folder, "--reporter=json", `--outputFile=${file}`]
    const { output } = yield* Command.run("vitest", args, { cwd: folder })
    const { testResults } = yield* Effect.mapError(
      Effect.flatMap(fs.readFileString(file), Schema.decodeEffect(Report)),
      (error) => new Step.CheckFailed({ output: `vitest left no report: ${error.message}\n${output}` })
    )
    const problems = examples.flatMap((example) => {
      const result = testResults.find(({ name }) => name === example.file)
      if (result === undefined || result.assertionResults.length === 0) {
        return [broken(example, `no test was run: ${result?.message ?? output}`)]
      }
      const failures = result.assertionResults.flatMap(({ failureMessages }) => failureMessages)
      if (example.mode === "test") return failures.map((failure) => broken(example, failure))
      const law = lawOf(example)
      if (law === undefined) return [broken(example, "no text after it says how it fails")]
      return failures.some((failure) => failure.includes(law))
        ? []
        : [broken(example, `should fail with "${law}":\n${failures.join("\n")}`)]
    })
    yield* Step.all(problems)
  },
  Effect.catchTag("PlatformError", Step.unusable)
)
