import * as Chart from "@effect-zim/benchmarks/Chart"
import * as Paths from "@effect-zim/benchmarks/Paths"
import * as ResultsPage from "@effect-zim/benchmarks/ResultsPage"
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** Without what the formatter adds: the widths of a table's columns. */
const unformatted = (markdown: string): string => markdown.replaceAll(/ +/g, " ").replaceAll(/-{2,}/g, "--")

describe("docs/benchmarks.md", () => {
  it.effect("says what the stored results say, nothing else", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const outcomes = yield* ResultsPage.outcomes
      const page = yield* fs.readFileString(Paths.page)
      assert.strictEqual(unformatted(page), unformatted(ResultsPage.markdown(outcomes)))
      assert.strictEqual(yield* fs.readFileString(Paths.chart), Chart.svg(outcomes))
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
