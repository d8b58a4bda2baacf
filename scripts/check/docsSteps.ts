/**
 * The code in the documentation: every `ts` block of Markdown and docstrings compiles, and those of Markdown run, as do
 * the `sh run` blocks.
 */
import { Effect, FileSystem } from "effect"
import * as Command from "./Command.ts"
import * as DocsExamples from "./docsExamples.ts"
import * as DocsRuns from "./docsRuns.ts"
import * as Step from "./Step.ts"

const { broken, folder } = DocsRuns

/** Whether it is a file of tests, and not a program. */
const isTest = ({ mode }: DocsExamples.Block) => mode.startsWith("test")

const places = [
  "*.md",
  "docs/**/*.md",
  "examples/**/*.md",
  "packages/*/README.md",
  "packages/*/AGENTS.md",
  "packages/site/home.md",
  "packages/*/src/**/*.ts"
]

const find = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const files = yield* Effect.forEach(places, (pattern) => fs.glob(pattern, { root: Command.root }))
  const examples = yield* Effect.forEach(files.flat().toSorted(), (source) =>
    Effect.map(fs.readFileString(`${Command.root}/${source}`), (text) => {
      const isMarkdown = source.endsWith(".md")
      const blocks = isMarkdown ? DocsExamples.ofMarkdown(text) : DocsExamples.ofDocstrings(text)
      return blocks.map((block, i): DocsRuns.Example => {
        const name = `${source.replaceAll("/", "-").replace(/\.ts$/, "")}-L${block.line}`
        const extension = isTest(block) ? "test.ts" : block.language
        return { ...block, source, isMarkdown, file: `${folder}/${name}.${extension}`, next: blocks[i + 1] }
      })
    })
  )
  return examples.flat()
})

/** Why a block cannot be treated as its first line asks for. */
const complaint = ({ closed, isMarkdown, language, mode }: DocsRuns.Example): string | undefined => {
  if (!closed) return "the block is never closed"
  if (["typescript", "javascript", "js", "bash", "shell"].includes(language)) return "write ts or sh, which are checked"
  if (language === "sh" && isMarkdown && mode === "") return 'write "sh run", or "sh no-run:" and why not'
  const modes = language === "ts" ? ["", "test", "test fails", "ignore"] : language === "sh" ? ["", "run"] : [""]
  const isExcused = /^no-run: \S/.test(mode) && (language === "ts" || language === "sh")
  return isExcused || modes.includes(mode) ? undefined : `unknown mode "${mode}"`
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
const write = Effect.fnUntraced(function* (examples: ReadonlyArray<DocsRuns.Example>) {
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

const docs = Step.make(
  "docs",
  "the code in Markdown and docstrings compiles; Markdown's runs against an emulator",
  Effect.gen(function* () {
    const examples = yield* find
    const scripts = examples.filter(({ language }) => language === "ts")
    const ignored = scripts.filter(({ mode }) => mode === "ignore")
    const compiled = scripts.filter(({ mode }) => mode !== "ignore")
    const runs = examples.filter(
      ({ isMarkdown, language, mode }) => isMarkdown && mode === (language === "ts" ? "" : "run")
    )
    const tests = scripts.filter((example) => example.isMarkdown && isTest(example))
    const possible = runs.filter(DocsRuns.canRun)
    yield* write(compiled)
    const complaints = examples.flatMap((example) => {
      const problem = complaint(example)
      return problem === undefined ? [] : [broken(example, problem)]
    })
    const checks: ReadonlyArray<Effect.Effect<unknown, Step.CheckFailed, Step.Requirements>> = [
      ...complaints,
      Command.succeed("tsc", ["-p", folder]),
      DocsRuns.programs(possible),
      DocsRuns.tests(tests)
    ]
    yield* Step.all(checks)
    const left = runs.length - possible.length
    return [
      `${compiled.length} compiled, ${possible.length} run, ${tests.length} tested`,
      `${ignored.length} ignored`,
      ...(left === 0 ? [] : [`${left} not run: redis-server is not installed`])
    ].join(", ")
  }).pipe(Effect.catchTag("PlatformError", Step.unusable))
)

export const docsSteps: ReadonlyArray<Step.Step> = [docs]
