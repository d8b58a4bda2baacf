/**
 * The unit, property and integration tests, counted one by one.
 */
import { Effect, FileSystem, Schema } from "effect"
import * as Command from "./Command.ts"
import * as Programs from "./Programs.ts"
import * as Step from "./Step.ts"

const Report = Schema.fromJsonString(
  Schema.Struct({
    numPassedTests: Schema.Int,
    numFailedTests: Schema.Int,
    testResults: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        status: Schema.String,
        assertionResults: Schema.Array(Schema.Struct({ fullName: Schema.String, status: Schema.String }))
      })
    )
  })
)

const unreadable = (error: { readonly message: string }) =>
  new Step.CheckFailed({ output: `vitest left no readable report: ${error.message}` })

type FileReport = (typeof Report.Type)["testResults"][number]

/** Without a failed test, a file that failed did not load, or its worker died. */
const isBroken = (file: FileReport): boolean =>
  file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed")

const unfinished = (file: FileReport): ReadonlyArray<string> =>
  isBroken(file)
    ? [`did not load or did not finish: ${file.name}`]
    : file.assertionResults
        .filter(({ status }) => status !== "passed" && status !== "failed")
        .map(({ fullName, status }) => `did not run (${status}): ${fullName} in ${file.name}`)

/** What does not show in vitest's own counts: tests that did not run, and packages without tests. */
const silences = Effect.fnUntraced(function* ({ testResults }: typeof Report.Type) {
  const fs = yield* FileSystem.FileSystem
  const packages = yield* Effect.mapError(fs.readDirectory(`${Command.root}/packages`), unreadable)
  const untested = packages
    .filter((name) => !testResults.some((file) => file.name.includes(`/packages/${name}/test/`)))
    .map((name) => `packages/${name} has no tests`)
  return [...testResults.flatMap(unfinished), ...untested]
})

/** In capitals: this is the last line of the step, and stands in the table at the end. */
const leftOut = Programs.missing.map(({ advice, what }) => `NOT TESTED: ${what}. ${advice}`)

const tests: Step.Step = {
  name: "unit",
  about: "unit, property and integration tests",
  run: Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* Effect.mapError(fs.makeTempDirectoryScoped(), unreadable)
    const file = `${folder}/vitest.json`
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`]
    const { code } = yield* Command.run("vitest", ["run", "--config", "vitest.workspace.ts", ...reporters], {
      output: "inherit",
      timeout: "40 minutes"
    })
    const report = yield* fs
      .readFileString(file)
      .pipe(Effect.flatMap(Schema.decodeEffect(Report)), Effect.mapError(unreadable))
    const problems = yield* silences(report)
    const failed = report.numFailedTests + problems.length
    return {
      passed: report.numPassedTests,
      // Vitest also exits with 1 for an error outside of any test.
      failed: failed === 0 && code !== 0 ? 1 : failed,
      note: [...problems, [`${report.numPassedTests} tests`, ...leftOut].join("; ")].join("\n")
    }
  }).pipe(Effect.scoped)
}

export const unitSteps: ReadonlyArray<Step.Step> = [tests]
