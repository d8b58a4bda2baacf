/**
 * `npm run bench:startup [ROUNDS]`: how long the bundled program takes, as a whole process, for each time that `node -e 0`
 * takes. Both run in turns, so that noise hits both; the median of the rounds' ratios counts.
 */
import { Console, Effect } from "effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const rounds = Number(process.argv[2] ?? 40)
const bin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url))

const cases: ReadonlyArray<{ readonly args: ReadonlyArray<string>; readonly goal?: number }> = [
  { args: ["--version"], goal: 1.6 },
  { args: ["codes"], goal: 2 },
  { args: ["codes", "660300005"] },
  { args: ["--help"] }
]

/** In milliseconds. */
const time = (args: ReadonlyArray<string>): number => {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" })
  const took = performance.now() - start
  if (status !== 0) throw new Error(`node ${args.join(" ")} failed: ${stderr}`)
  return took
}

const quantile = (values: ReadonlyArray<number>, q: number): number =>
  values.toSorted((a, b) => a - b)[Math.round(q * (values.length - 1))] ?? 0

const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

const measure = (args: ReadonlyArray<string>) => {
  const node = ["-e", "0"]
  const zim = [bin, ...args]
  for (const warmUp of [node, zim]) time(warmUp)
  return Array.from({ length: rounds }, (_, i) => {
    if (i % 2 === 0) return { node: time(node), zim: time(zim) }
    const first = time(zim)
    return { node: time(node), zim: first }
  })
}

const program = Effect.gen(function* () {
  yield* Console.log(`Node ${process.versions.node}, ${rounds} rounds`)
  for (const { args, goal } of cases) {
    const pairs = measure(args)
    const ratios = pairs.map(({ node, zim }) => zim / node)
    const ratio = median(ratios)
    const range = `${quantile(ratios, 0.25).toFixed(2)} to ${quantile(ratios, 0.75).toFixed(2)}`
    const took = `${median(pairs.map(({ zim }) => zim)).toFixed(1)} ms`
    const verdict = goal === undefined ? "" : `, goal ${goal}: ${ratio < goal ? "met" : "MISSED"}`
    yield* Console.log(`zim ${args.join(" ").padEnd(16)} ${ratio.toFixed(2)} (${range})  ${took}${verdict}`)
    if (goal !== undefined && ratio >= goal) process.exitCode = 1
  }
})

await Effect.runPromise(program)
