/** What a suite found, as it is stored and shown. */
import * as Schema from "effect/Schema"
import * as Measure from "./Measure.ts"

/**
 * How a number is shown: `times` as much as the limit, `micros` microseconds and `millis` milliseconds (shown
 * in the unit that fits), `bytes` (1 KB is 1000 bytes), `share` a part of 1, `count` a plain number.
 */
export const Format = Schema.Literals(["times", "micros", "millis", "bytes", "share", "count"])
export type Format = typeof Format.Type

export const Column = Schema.Struct({ name: Schema.String, format: Format })
export type Column = typeof Column.Type

export const Row = Schema.Struct({
  name: Schema.String,
  role: Schema.Literals(["limit", "peer", "ours"]),
  /** One for each column; `null` where there is none. */
  values: Schema.Array(Schema.NullOr(Measure.Value))
})
export type Row = typeof Row.Type

/** What the project set out to reach, beside what it reached. */
export const Goal = Schema.Struct({
  text: Schema.String,
  reached: Schema.Finite,
  bound: Schema.Union([Schema.Struct({ atMost: Schema.Finite }), Schema.Struct({ atLeast: Schema.Finite })]),
  format: Format
})
export type Goal = typeof Goal.Type

export const Table = Schema.Struct({
  title: Schema.String,
  /** Markdown above the table: what is done, and whatever a reader must know to judge it. Empty for nothing. */
  about: Schema.String,
  columns: Schema.Array(Column),
  rows: Schema.Array(Row),
  goals: Schema.Array(Goal),
  /** Whether the first column is drawn in the chart. */
  isCharted: Schema.Boolean
})
export type Table = typeof Table.Type

/** Where something was measured. */
export const Machine = Schema.Struct({
  cpu: Schema.String,
  cores: Schema.Int,
  memory: Schema.Finite,
  platform: Schema.String,
  versions: Schema.Record(Schema.String, Schema.String)
})
export type Machine = typeof Machine.Type

/** The result of one suite. */
export const Outcome = Schema.Struct({
  suite: Schema.String,
  title: Schema.String,
  about: Schema.String,
  seconds: Schema.Finite,
  machine: Machine,
  tables: Schema.Array(Table)
})
export type Outcome = typeof Outcome.Type

export const isMet = ({ bound, reached }: Goal): boolean =>
  "atMost" in bound ? reached <= bound.atMost : reached >= bound.atLeast

interface CostTable {
  readonly title: string
  readonly about?: string | undefined
  readonly series: ReadonlyArray<Measure.Series>
  /** The name of the contestant that is 1. Default: the first one. */
  readonly base?: string | undefined
  /** Whether the processor's time or the clock's is compared. Default: the processor's. */
  readonly of?: keyof Measure.Cost | undefined
  /** What a piece of work is called in the heading: `page`, `call`. */
  readonly unit: string
  readonly goals?: ReadonlyArray<Goal> | undefined
  readonly isCharted?: boolean | undefined
}

/** The usual table: how many times the limit, and how much for each piece of work. */
export const costTable = (options: CostTable): Table => {
  const { about = "", goals = [], isCharted = true, of = "cpu", series, title, unit } = options
  const base = options.base === undefined ? series[0] : Measure.find(series, options.base)
  return {
    title,
    about,
    columns: [
      { name: base === undefined ? "ratio" : `times ${base.name}`, format: "times" },
      { name: of === "cpu" ? `CPU per ${unit}` : `time per ${unit}`, format: "micros" }
    ],
    rows: series.map((one) => ({
      name: one.name,
      role: one.role,
      values: [base === undefined ? null : Measure.ratio(one, base, of), Measure.each(one, of)]
    })),
    goals,
    isCharted
  }
}

/** A goal on how many times the cost of one is that of another. */
const goalOf = (
  text: string,
  series: ReadonlyArray<Measure.Series>,
  [one, other]: readonly [one: string, other: string],
  bound: Goal["bound"],
  of: keyof Measure.Cost
): Goal => ({
  text,
  reached: Measure.ratio(Measure.find(series, one), Measure.find(series, other), of).middle,
  bound,
  format: "times"
})

/** A goal on how many times the cost of `base` somebody may have. */
export const atMost = (
  text: string,
  series: ReadonlyArray<Measure.Series>,
  { base, name }: { readonly name: string; readonly base: string },
  limit: number,
  of: keyof Measure.Cost = "cpu"
): Goal => goalOf(text, series, [name, base], { atMost: limit }, of)

/** A goal on how many times the cost of `name` a peer must have at least. */
export const atLeast = (
  text: string,
  series: ReadonlyArray<Measure.Series>,
  { name, peer }: { readonly name: string; readonly peer: string },
  limit: number,
  of: keyof Measure.Cost = "cpu"
): Goal => goalOf(text, series, [peer, name], { atLeast: limit }, of)
