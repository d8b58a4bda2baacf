/**
 * Measures contestants side by side: in one process, in turns, many rounds. The noise of a machine that others use too
 * hits everybody alike, so what counts is the ratio within a round, and of these the median.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Console from "effect/Console"
import * as Schema from "effect/Schema"
import { spawnSync } from "node:child_process"
import { isDeepStrictEqual } from "node:util"
import type { Contestant, Role } from "./Contestant.ts"
import * as Paths from "./Paths.ts"

/** Two contestants do not do the same work. */
export class AnswersDiffer extends Data.TaggedError("AnswersDiffer")<{
  readonly contestant: string
  readonly other: string
}> {
  override get message(): string {
    return `${this.contestant} and ${this.other} do not answer the same`
  }
}

/** A number; where it was measured, a median and between which values the middle half lies. */
export const Value = Schema.Struct({
  middle: Schema.Finite,
  low: Schema.optionalKey(Schema.Finite),
  high: Schema.optionalKey(Schema.Finite)
})
export type Value = typeof Value.Type

/** What one piece of work costs, in microseconds. */
export interface Cost {
  /** Of the processor, all threads of this process together: the garbage collector's too. */
  readonly cpu: number
  /** By the clock. */
  readonly wall: number
}

/** What was measured of one contestant: the same round has the same index for all. */
export interface Series {
  readonly name: string
  readonly role: Role
  readonly costs: ReadonlyArray<Cost>
}

export interface Options {
  /** Rounds that count. Default: 31. */
  readonly rounds?: number | undefined
  /** How long one contestant works in one round, in milliseconds of CPU. Default: 12. */
  readonly sample?: number | undefined
  /** How long each contestant works before the rounds, in milliseconds. Default: 400. */
  readonly warmUp?: number | undefined
}

const micros = (): number => performance.now() * 1000

const cost = <R>(contestant: Contestant<R>, times: number): Effect.Effect<Cost, never, R> =>
  Effect.suspend(() => {
    // What the one before left behind is not on this one's bill. (`--expose-gc`; young objects only: it takes no time.)
    globalThis.gc?.({ type: "minor" })
    const cpu = process.cpuUsage()
    const started = micros()
    return Effect.map(contestant.work(times), () => {
      const wall = micros() - started
      const { system, user } = process.cpuUsage(cpu)
      const pieces = times * (contestant.pieces ?? 1)
      return { cpu: (system + user) / pieces, wall: wall / pieces }
    })
  })

/** Checks that all answer the same. Done by `sideBySide`; for measurements of another kind. */
export const sameAnswers = <R>(
  contestants: ReadonlyArray<Pick<Contestant<R>, "name" | "answer">>
): Effect.Effect<void, AnswersDiffer, R> =>
  Effect.gen(function* () {
    const [first, ...others] = contestants
    if (first === undefined) return
    const expected = yield* first.answer
    for (const other of others) {
      if (!isDeepStrictEqual(yield* other.answer, expected)) {
        return yield* new AnswersDiffer({ contestant: first.name, other: other.name })
      }
    }
  })

/** Works until so much time is gone, twice as often each time; tells how often it takes to work for that long. */
const calibrate = <R>(contestant: Contestant<R>, millis: number, sample: number): Effect.Effect<number, never, R> =>
  Effect.gen(function* () {
    const end = micros() + millis * 1000
    const { pieces = 1 } = contestant
    let times = 1
    let last = yield* cost(contestant, times)
    while (micros() < end) {
      if (last.wall * times * pieces < sample * 1000) times *= 2
      last = yield* cost(contestant, times)
    }
    return Math.max(1, Math.round((sample * 1000) / (Math.max(last.cpu, last.wall / 2, 0.001) * pieces)))
  })

/** All of them, once in each round. Who goes first changes from round to round. */
export function* inTurns<A>(entries: ReadonlyArray<A>, rounds: number): Generator<A, void> {
  for (let round = 0; round < rounds; round++) {
    const first = round % entries.length
    yield* entries.slice(first)
    yield* entries.slice(0, first)
  }
}

/**
 * Measures the contestants in turns, after a check that all of them answer the same and after they have warmed up
 * together.
 */
export const sideBySide = <R>(
  contestants: ReadonlyArray<Contestant<R>>,
  options: Options = {}
): Effect.Effect<ReadonlyArray<Series>, AnswersDiffer, R> =>
  Effect.gen(function* () {
    const { rounds = 31, sample = 12, warmUp = 400 } = options
    yield* sameAnswers(contestants)
    // The first pass of one meets code that the others have not used yet, as it would be in no real program.
    for (const contestant of contestants) yield* calibrate(contestant, warmUp / 2, sample)
    const entries = yield* Effect.forEach(contestants, (contestant) =>
      Effect.map(calibrate(contestant, warmUp / 2, sample), (times) => ({
        contestant,
        times,
        costs: Array<Cost>()
      }))
    )
    for (const { contestant, costs, times } of inTurns(entries, rounds)) costs.push(yield* cost(contestant, times))
    return entries.map(({ contestant: { name, role }, costs }) => ({ name, role, costs }))
  })

/** A program that Node runs from its start to its end. */
export interface Program {
  readonly name: string
  readonly role: Role
  /** What follows `node`. */
  readonly args: ReadonlyArray<string>
}

// Node does not tell what its child processes took of the processor; bash does, in milliseconds.
const timed = `TIMEFORMAT='%3U %3S %3R'; time "$@" >/dev/null`

const program = ({ args, name }: Program): Cost => {
  const bash = ["-c", timed, "bash", process.execPath, ...args]
  const { status, stderr } = spawnSync("bash", bash, { cwd: Paths.here, encoding: "utf8", env: plain })
  const seconds = stderr.trim().split(/\s+/).map(Number)
  const [user = Number.NaN, system = Number.NaN, real = Number.NaN] = seconds
  if (status !== 0 || seconds.length !== 3) throw new Error(`${name} ended with ${status}: ${stderr}`)
  return { cpu: (user + system) * 1e6, wall: real * 1e6 }
}

const plain = { ...process.env, NODE_OPTIONS: "", NODE_COMPILE_CACHE: undefined, LC_ALL: "C" }

/** Runs whole processes in turns: a piece of work is a process from its start to its end. */
export const programs = (
  contestants: ReadonlyArray<Program>,
  options: Pick<Options, "rounds"> = {}
): Effect.Effect<ReadonlyArray<Series>> =>
  Effect.sync(() => {
    const { rounds = 13 } = options
    const entries = contestants.map((contestant) => ({ contestant, costs: Array<Cost>() }))
    // It only fills the file caches.
    for (const contestant of contestants) program(contestant)
    for (const { contestant, costs } of inTurns(entries, rounds)) costs.push(program(contestant))
    return entries.map(({ contestant: { name, role }, costs }) => ({ name, role, costs }))
  })

const quantile = (sorted: ReadonlyArray<number>, part: number): number => {
  const at = (sorted.length - 1) * part
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** The median, and between which values the middle half lies. */
export const spread = (values: ReadonlyArray<number>): Value => {
  const sorted = values.toSorted((left, right) => left - right)
  return { middle: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}

export const find = (series: ReadonlyArray<Series>, name: string): Series => {
  const found = series.find((one) => one.name === name)
  if (found === undefined) throw new Error(`No contestant "${name}": ${series.map((one) => one.name).join(", ")}`)
  return found
}

/** How many times what `base` costs `one` costs, round by round. */
export const ratio = (one: Series, base: Series, of: keyof Cost = "cpu"): Value =>
  spread(one.costs.map((cost, round) => cost[of] / (base.costs[round]?.[of] ?? Number.NaN)))

/** How much more `one` costs than `base`, in microseconds, round by round. */
export const difference = (one: Series, base: Series, of: keyof Cost = "cpu"): Value =>
  spread(one.costs.map((cost, round) => cost[of] - (base.costs[round]?.[of] ?? Number.NaN)))

/** What one piece of work costs, in microseconds. */
export const each = (one: Series, of: keyof Cost = "cpu"): Value => spread(one.costs.map((cost) => cost[of]))

/** Says that something is being measured: it takes a while. */
export const announce = (what: string): Effect.Effect<void> => Console.log(`  ${what}`)
