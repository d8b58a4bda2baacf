/**
 * The code in the documentation: every `ts` block of Markdown and docstrings compiles, and those of Markdown run
 * against an emulator, as do the `sh run` blocks.
 */
import { Effect, FileSystem } from "effect"
import { randomBytes } from "node:crypto"
import * as Command from "./Command.ts"
import * as DocsExamples from "./docsExamples.ts"
import * as EmulatorProcess from "./emulatorProcess.ts"
import * as Step from "./Step.ts"

const folder = `${Command.root}/.docs-examples`
const bin = ["--conditions=@effect-zim/source", "packages/cli/src/bin.ts"]
const limit = "30 seconds"

interface Example extends DocsExamples.Block {
  /** The file it stands in, relative to the root. */
  readonly source: string
  readonly isMarkdown: boolean
  /** Where it is written to for the compiler. */
  readonly file: string
}

const places = ["*.md", "docs/**/*.md", "packages/*/README.md", "packages/*/src/**/*.ts"]

const find = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const files = yield* Effect.forEach(places, (pattern) => fs.glob(pattern, { root: Command.root }))
  const examples = yield* Effect.forEach(files.flat().toSorted(), (source) =>
    Effect.map(fs.readFileString(`${Command.root}/${source}`), (text) => {
      const isMarkdown = source.endsWith(".md")
      const blocks = isMarkdown ? DocsExamples.ofMarkdown(text) : DocsExamples.ofDocstrings(text)
      return blocks.map((block): Example => {
        const name = `${source.replaceAll("/", "-").replace(/\.ts$/, "")}-L${block.line}`
        return { ...block, source, isMarkdown, file: `${folder}/${name}.${block.language}` }
      })
    })
  )
  return examples.flat()
})

const isTypeScript = ({ language }: Example) => language === "ts"

/** Why a block cannot be treated as its first line asks for. */
const complaint = ({ closed, language, mode }: Example): string | undefined => {
  const modes = language === "ts" ? ["", "no-run", "ignore"] : language === "sh" ? ["", "run"] : [""]
  if (!closed) return "the block is never closed"
  if (["typescript", "javascript", "js", "bash", "shell"].includes(language)) return "write ts or sh, which are checked"
  return modes.includes(mode) ? undefined : `unknown mode "${mode}"`
}

const compilerOptions = {
  noEmit: true,
  composite: false,
  declaration: false,
  declarationMap: false,
  sourceMap: false,
  noUnusedLocals: false,
  noUnusedParameters: false,
  moduleDetection: "force"
}

/** Writes each block to a file of its own, moved down so that its lines are numbered as in the document. */
const write = Effect.fnUntraced(function* (examples: ReadonlyArray<Example>) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.remove(folder, { recursive: true, force: true })
  yield* fs.makeDirectory(folder)
  yield* fs.writeFileString(
    `${folder}/tsconfig.json`,
    JSON.stringify({ extends: "../tsconfig.base.json", include: ["*.ts"], compilerOptions })
  )
  yield* Effect.forEach(examples, ({ code, file, line }) =>
    fs.writeFileString(file, "\n".repeat(line - 1) + code + "\n")
  )
})

/** An emulator, for as long as the scope lasts; returns the environment that points at it. */
const emulator = Effect.gen(function* () {
  const serverSecret = randomBytes(16).toString("hex")
  const world = ["--users", "20", "--seed", "1", "--app-id", "12345", "--server-secret", serverSecret]
  const { url } = yield* EmulatorProcess.start(["node", ...bin], world)
  return { ZIM_APP_ID: "12345", ZIM_SERVER_SECRET: serverSecret, ZIM_BASE_URL: url }
})

const where = ({ line, source }: Example) => `${source}:${line}`

const broken = (example: Example, problem: string) => new Step.CheckFailed({ output: `${where(example)}: ${problem}` })

const runExample = (env: Effect.Success<typeof emulator>) =>
  Effect.fnUntraced(function* (example: Example) {
    const shell = example.language === "sh"
    const [program, args] = shell
      ? (["bash", ["-euo", "pipefail", "-c", example.code]] as const)
      : (["node", ["--conditions=@effect-zim/source", example.file]] as const)
    const { code, output } = yield* Command.run(program, args, { env, timeout: limit }).pipe(
      Effect.mapError((error) => broken(example, error.output))
    )
    if (output.includes(env.ZIM_SERVER_SECRET)) return yield* broken(example, "printed the server secret")
    if (code !== 0) return yield* broken(example, `ended with exit code ${code}:\n${output}`)
    return example
  })

const unusable = (error: { readonly message: string }) => new Step.CheckFailed({ output: error.message })

const runAll = (examples: ReadonlyArray<Example>) =>
  emulator.pipe(
    Effect.flatMap((env) => Step.all(examples.map(runExample(env)), { concurrency: 2 })),
    Effect.catchTag("PlatformError", unusable),
    Effect.scoped
  )

const docs = Step.make(
  "docs",
  "the code in Markdown and docstrings compiles; Markdown's runs against an emulator",
  Effect.gen(function* () {
    const examples = yield* find
    const ignored = examples.filter((example) => isTypeScript(example) && example.mode === "ignore")
    const compiled = examples.filter((example) => isTypeScript(example) && example.mode !== "ignore")
    const runs = examples.filter(
      (example) => example.isMarkdown && (isTypeScript(example) ? example.mode === "" : example.mode === "run")
    )
    yield* write(compiled)
    const complaints = examples.flatMap((example) => {
      const problem = complaint(example)
      return problem === undefined ? [] : [broken(example, problem)]
    })
    const checks: ReadonlyArray<Effect.Effect<unknown, Step.CheckFailed, Step.Requirements>> = [
      ...complaints,
      Command.succeed("tsc", ["-p", folder]),
      runAll(runs)
    ]
    yield* Step.all(checks)
    const listed = ignored.length === 0 ? "" : ` (${ignored.map(where).join(", ")})`
    return `${compiled.length} compiled, ${runs.length} run, ${ignored.length} ignored${listed}`
  }).pipe(Effect.catchTag("PlatformError", unusable))
)

export const docsSteps: ReadonlyArray<Step.Step> = [docs]
