/** What the demo says before and after. */
import { Journal } from "@effect-zim/emulator"
import { Console, Effect, Result } from "effect"
import * as Scene from "./scene.ts"
import { count, type Palette, palette, type Progress } from "./Screen.ts"
import type { Reading } from "./verify.ts"

const callsPerSecond = 20

export const introduce = Effect.fnUntraced(function* (url: string) {
  const { bold, dim } = yield* palette
  yield* Console.log(
    [
      "",
      `  ${bold("effect-zim")}  the conversation lists of ${count(Scene.userIds.length, "user")}, ${callsPerSecond} calls a second, over HTTP`,
      dim(`  from an emulator at ${url} that drops and rejects calls`),
      ""
    ].join("\n")
  )
})

/** What went wrong on the way, the most frequent first: `3 × connection reset`. */
const mishaps = (journal: ReadonlyArray<Journal.Entry>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const entry of journal) {
    for (const fault of entry.faults) {
      const text = Scene.mishapTexts.get(fault)
      if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1)
    }
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([text, times]) => `${times} × ${text}`)
}

export const mishapCount = (journal: ReadonlyArray<Journal.Entry>): number =>
  journal.filter(({ faults }) => faults.some((fault) => Scene.mishapTexts.has(fault))).length

/** The first 20 calls need no time, the next 20 a second, and so on. */
const minimumSeconds = (calls: number): number => Math.floor(Math.max(0, calls - 1) / callsPerSecond)

interface Run {
  readonly progress: Progress
  readonly readings: ReadonlyArray<Reading>
  readonly journal: ReadonlyArray<Journal.Entry>
  readonly seconds: number
  readonly problems: ReadonlyArray<string>
}

const complaint = ({ problems }: Run, { red }: Palette): ReadonlyArray<string> => [
  red(`  ✗ ${count(problems.length, "problem")}`),
  ...problems.slice(0, 10).map((problem) => `    ${problem}`)
]

const praise = (
  { journal, progress, readings, seconds }: Run,
  { bold, dim, green }: Palette
): ReadonlyArray<string> => {
  const read = readings.filter(({ result }) => Result.isSuccess(result)).length
  const calls = count(journal.length, "call")
  const peak = Journal.peak(
    journal.filter((entry) => entry.status !== undefined),
    "1 second"
  )
  const facts = [
    `${bold(`${count(progress.conversations, "conversation")} of ${count(read, "user")}`)}, each exactly once, in order`,
    `${count(readings.length - read, "user")} not registered: typed errors that stopped nobody else`,
    `${calls}, ${count(progress.pages, "page")}: no nonce used twice, at most ${peak} answers in any second`,
    `${seconds.toFixed(1)} s; without mishaps the quota allows no less than ${minimumSeconds(journal.length)} s for ${calls}`,
    `${count(mishapCount(journal), "mishap")} survived:`
  ]
  return [
    ...facts.map((fact) => `  ${green("✓")} ${fact}`),
    ...mishaps(journal).map((text) => dim(`      ${text}`)),
    "",
    `  ${bold("Next")}`,
    "    README.md                               do this in twelve lines of your own",
    "    npm run --silent zim -- emulator start  the emulator, to try things out",
    "    npm test                                everything that is checked"
  ]
}

export const conclude = Effect.fnUntraced(function* (run: Run) {
  const colors = yield* palette
  const lines = run.problems.length === 0 ? praise(run, colors) : complaint(run, colors)
  yield* Console.log(["", ...lines, ""].join("\n"))
})
