/** What commands print on standard output, in the formats of `--format`. */
import { CsvSink } from "@effect-zim/export"
import * as Flag from "effect/cli/Flag"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as JsonArray from "effect/encoding/JsonArray"
import * as Ndjson from "effect/encoding/Ndjson"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { systemCode } from "../ErrorReport.ts"
import { harmless } from "./jsonText.ts"
import { printable } from "./printableText.ts"
import * as Terminal from "./terminal.ts"

const formats = ["table", "json", "ndjson", "csv"] as const

export type Format = (typeof formats)[number]

/** The `--format` flag. */
export const formatFlag = (description: string): Flag.Flag<Option.Option<Format>> =>
  Flag.Literals("format", formats).pipe(Flag.withDescription(description), Flag.optional)

/** What was chosen; else what suits a terminal, or a pipe. */
export const formatFor = <A extends string>(
  chosen: Option.Option<A>,
  onTerminal: NoInfer<A>,
  inPipe: NoInfer<A>
): Effect.Effect<A, never, Stdio.Stdio> =>
  Option.match(chosen, {
    onNone: () => Effect.map(Terminal.isThere, (isTerminal) => (isTerminal ? onTerminal : inPipe)),
    onSome: Effect.succeed
  })

/** Puts a header before the first element; where there is none, at the end: a stream that fails at once prints nothing. */
export const withHeader =
  <A>(header: A) =>
  <E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.suspend(() => {
      let isShown = false
      return self.pipe(
        Stream.mapArray((elements) => {
          if (isShown) return elements
          isShown = true
          return [header, ...elements]
        }),
        Stream.concat(Stream.suspend(() => (isShown ? Stream.empty : Stream.make(header))))
      )
    })

/**
 * Some fields of records as text, as they come: memory does not grow with their number. On a terminal, what it would obey is
 * an escape: in JSON one that says the same, in CSV the one that a table shows. What is undefined is left out, or an empty
 * cell.
 */
export const encode = <Key extends string, E, R>(
  records: Stream.Stream<{ readonly [K in Key]?: string | number | undefined }, E, R>,
  format: Exclude<Format, "table">,
  keys: ReadonlyArray<Key>,
  spreadsheet = false
): Stream.Stream<string, E, R | Stdio.Stdio> => {
  if (format === "csv") return encodeCsv(records, keys, spreadsheet)
  const picked = Stream.map(records, (record) => Object.fromEntries(keys.map((key) => [key, record[key]])))
  return harmlessOnTerminal(
    format === "ndjson"
      ? Stream.pipeThroughChannel(picked, Ndjson.encodeString<E>()).pipe(
          Stream.catchTag("NdjsonError", (error) => Stream.die(error))
        )
      : Stream.pipeThroughChannel(picked, JsonArray.encodeString<E>()).pipe(
          Stream.catchTag("JsonArrayError", (error) => Stream.die(error)),
          Stream.concat(Stream.make("\n"))
        )
  )
}

const encodeCsv = <Key extends string, E, R>(
  records: Stream.Stream<{ readonly [K in Key]?: string | number | undefined }, E, R>,
  keys: ReadonlyArray<Key>,
  spreadsheet: boolean
): Stream.Stream<string, E, R | Stdio.Stdio> =>
  Stream.unwrap(
    Effect.map(Terminal.isThere, (isTerminal) => {
      const cell = (text: string) => CsvSink.cell(isTerminal ? printable(text) : text, { spreadsheet })
      return records.pipe(
        Stream.map((record) => keys.map((key) => cell(String(record[key] ?? "")))),
        withHeader<ReadonlyArray<string>>(keys),
        Stream.pipeThroughChannel(Csv.encodeString<E>()),
        spreadsheet ? withHeader(CsvSink.byteOrderMark) : (text) => text
      )
    })
  )

const harmlessOnTerminal = <E, R>(json: Stream.Stream<string, E, R>): Stream.Stream<string, E, R | Stdio.Stdio> =>
  Stream.unwrap(Effect.map(Terminal.isThere, (isTerminal) => (isTerminal ? Stream.map(json, harmless) : json)))

const isClosedPipe = (error: unknown): boolean =>
  error instanceof PlatformError.PlatformError && systemCode(error.reason.cause) === "EPIPE"

/** Writes to standard output. A reader that has closed the pipe has seen enough: that ends it, without an error. */
export const print = <E, R>(
  text: Stream.Stream<string, E, R>
): Effect.Effect<void, E | PlatformError.PlatformError, R | Stdio.Stdio> =>
  Stdio.Stdio.use((stdio) =>
    // One write per page.
    Stream.run(
      Stream.mapArray(text, (parts) => [parts.join("")]),
      stdio.stdout()
    )
  ).pipe(Effect.catchIf(isClosedPipe, () => Effect.void))

export const printLines = (
  lines: ReadonlyArray<string>
): Effect.Effect<void, PlatformError.PlatformError, Stdio.Stdio> => print(Stream.make(`${lines.join("\n")}\n`))

/** Prints a line of JSON. */
export const printJson = (json: string): Effect.Effect<void, PlatformError.PlatformError, Stdio.Stdio> =>
  print(harmlessOnTerminal(Stream.make(`${json}\n`)))

const Answer = Context.Reference<Array<string>>("@effect-zim/cli/Answer", { defaultValue: () => [] })

/** Shows what Effect's parser has to say, which takes only effects that cannot fail: {@link printAnswer} prints it. */
export const answer = (text: string): Effect.Effect<void> => Effect.map(Answer, (answers) => void answers.push(text))

/** Prints what was shown on the way, if anything. */
export const printAnswer = <E, R>(
  self: Effect.Effect<void, E, R>
): Effect.Effect<void, E | PlatformError.PlatformError, R | Stdio.Stdio> =>
  Effect.suspend(() => {
    const answers: Array<string> = []
    return Effect.andThen(
      Effect.provideService(self, Answer, answers),
      Effect.suspend(() => (answers.length === 0 ? Effect.void : printLines(answers)))
    )
  })
