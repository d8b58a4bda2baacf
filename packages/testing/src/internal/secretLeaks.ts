/** Secrets, signatures and nonces in what a pipeline says: results, errors, logs, spans, metrics, the console. */
import type { World } from "@effect-zim/emulator"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import type { Observation, Outcome } from "./pipelineRun.ts"

/** A text that came out, and where. */
interface Said {
  readonly where: string
  readonly text: string
}

/** Every text in a value, however deep, whether or not it would print. */
const textsOf = (root: unknown): ReadonlyArray<string> => {
  const texts: Array<string> = []
  const seen = new Set<object>()
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === "string") texts.push(value)
    if (typeof value !== "object" || value === null || depth > 12 || seen.has(value)) return
    seen.add(value)
    if (value instanceof Map || value instanceof Set) for (const member of value) visit(member, depth + 1)
    for (const key of Reflect.ownKeys(value)) visit(Reflect.getOwnPropertyDescriptor(value, key)?.value, depth + 1)
  }
  visit(root, 0)
  return texts
}

const print = (value: unknown): ReadonlyArray<string> => [Formatter.format(value), ...textsOf(value)]

const saying = (where: string, texts: ReadonlyArray<string>): ReadonlyArray<Said> =>
  texts.map((text) => ({ where, text }))

/** What a run gave, and how it ended. */
const said = ({ exit, results }: Outcome): ReadonlyArray<Said> => [
  ...saying("a result", print(results)),
  ...(exit !== undefined && Exit.isFailure(exit)
    ? saying("an error", [
        Cause.pretty(exit.cause),
        ...exit.cause.reasons.flatMap((reason) =>
          print(reason._tag === "Fail" ? reason.error : reason._tag === "Die" ? reason.defect : undefined)
        )
      ])
    : [])
]

/** So many characters of a credential in a row are a leak too. */
const fragment = 10

function* fragmentsOf(text: string): Iterable<string> {
  for (let i = 0; i + fragment <= text.length; i++) yield text.slice(i, i + fragment)
}

/** Which credentials were said, and where. They are named and never repeated. */
const leaksIn = (
  said: ReadonlyArray<Said>,
  world: World.World,
  credentials: ReadonlyMap<string, string>
): ReadonlyArray<string> => {
  const fragments = new Map<string, string>()
  const add = (credential: string, what: string): void => {
    for (const part of fragmentsOf(credential.toLowerCase())) fragments.set(part, what)
  }
  for (const [credential, what] of credentials) add(credential, `the ${what} of a request`)
  for (const { serverSecret } of world.apps) add(Redacted.value(serverSecret), "the ServerSecret")

  const found = new Set<string>()
  const searched = new Set<string>()
  for (const { text, where } of said) {
    const lower = text.toLowerCase()
    if (searched.has(lower)) continue
    searched.add(lower)
    for (const part of fragmentsOf(lower)) {
      const what = fragments.get(part)
      if (what !== undefined) found.add(`${where} holds ${what}`)
    }
  }
  return [...found]
}

/** Listens to everything that a pipeline says while it runs, and finds the leaks in it. */
export const listen = () => {
  const heard: Array<Said> = []
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const logger = Logger.make(({ cause, message }) => {
    heard.push(...saying("a log line", [...print(message), Cause.pretty(cause), ...print(cause)]))
  })
  const annotated = Logger.map(Logger.formatStructured, (line) => void heard.push(...saying("a log line", print(line))))
  const keep = (...line: ReadonlyArray<unknown>) => void heard.push(...saying("a line on the console", print(line)))
  const console = new Proxy(globalThis.console, { get: () => keep })

  const around = <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.ensuring(
      run,
      Effect.map(Metric.dump, (text) => void heard.push({ where: "a metric", text }))
    ).pipe(
      Effect.withTracer(tracer),
      Effect.provide(Logger.layer([logger, annotated])),
      Effect.provideService(References.MinimumLogLevel, "All"),
      Effect.provideService(Console.Console, console)
    )

  const leaks = ({ credentials, outcomes, scenario }: Observation): ReadonlyArray<string> => {
    const ofSpans = spans.flatMap(({ attributes, events, links, name, status }) =>
      saying("a span", [
        name,
        ...print([...attributes]),
        ...print(events),
        ...print(links.map((link) => link.attributes)),
        ...(status._tag === "Ended" && Exit.isFailure(status.exit) ? [Cause.pretty(status.exit.cause)] : [])
      ])
    )
    return leaksIn([...heard, ...ofSpans, ...outcomes.flatMap(said)], scenario.world, credentials)
  }

  return { around, leaks }
}
