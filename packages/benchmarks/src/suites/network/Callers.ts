/** Who calls, each in a process of its own: what one does to the engine's caches and heap is not another's burden. */
import { UndiciHttpClient } from "@effect-zim/node"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { fork } from "node:child_process"
import * as Contestant from "../../Contestant.ts"
import * as Paths from "../../Paths.ts"
import type * as Measure from "../../Measure.ts"
import * as OurClient from "./OurClient.ts"
import * as Peers from "./Peers.ts"

/** What a caller is told to do: so many calls, so many at a time; none: answer once. */
export interface Job {
  readonly url: string
  readonly concurrency: number
  readonly isTraced: boolean
  readonly times: number
}

/** What it says when it is done. */
export interface Done {
  readonly cost: Measure.Cost
  readonly answer: unknown
}

type Caller = (
  target: Peers.Target,
  concurrency: number
) => Effect.Effect<Pick<Contestant.Contestant, "answer" | "work">, Error, Scope.Scope>

const promise =
  <A>(call: (target: Peers.Target) => () => Promise<A>, comparable?: (answer: A) => unknown): Caller =>
  (target, concurrency) =>
    Effect.sync(() => Contestant.promise({ name: "", role: "peer", concurrency, comparable }, call(target)))

const us =
  (http: Layer.Layer<HttpClient.HttpClient>): Caller =>
  (target, concurrency) =>
    Effect.map(OurClient.client(target, http), (context) => {
      const { answer, work } = Contestant.effect(
        { name: "", role: "ours", concurrency, comparable: OurClient.ofPage },
        OurClient.call(target.userId)
      )
      // The services of a program are there before it calls.
      return {
        answer: Effect.provideContext(answer, context),
        work: (times) => Effect.provideContext(work(times), context)
      }
    })

const guide =
  (http: Layer.Layer<HttpClient.HttpClient>): Caller =>
  (target, concurrency) =>
    Effect.gen(function* () {
      const query = yield* Effect.provideContext(Peers.guideClient(target), yield* Layer.build(http))
      return Contestant.effect({ name: "", role: "peer", concurrency, comparable: Peers.ofFields }, query(0))
    })

/** For whom all of them call. */
export const app = { appId: 12345, secret: "9193cc662a4c0ec135ec71fb57194b38", userId: "user-42" }

export const names = {
  limit: "undici.request, by hand",
  ours: "effect-zim",
  withAxios: "axios",
  withFetch: "fetch, zod 4"
} as const

/** All of them, by name. */
export const callers: Readonly<Record<string, { readonly role: Contestant.Role; readonly caller: Caller }>> = {
  [names.limit]: { role: "limit", caller: promise((target) => () => Peers.byHand(target)) },
  "undici's dispatcher, by hand": { role: "limit", caller: promise((target) => () => Peers.byDispatch(target)) },
  [names.ours]: { role: "ours", caller: us(UndiciHttpClient.layer) },
  [`${names.ours} over NodeHttpClient.layerUndici`]: { role: "ours", caller: us(NodeHttpClient.layerUndici) },
  [`${names.ours} over FetchHttpClient`]: { role: "ours", caller: us(FetchHttpClient.layer) },
  "Effect's HttpClient, layerUndici": { role: "peer", caller: guide(NodeHttpClient.layerUndici) },
  "Effect's HttpClient, FetchHttpClient": { role: "peer", caller: guide(FetchHttpClient.layer) },
  [names.withFetch]: { role: "peer", caller: promise((target) => () => Peers.withFetch(target), Peers.ofFields) },
  [names.withAxios]: { role: "peer", caller: promise((target) => Peers.axiosClient(target)) }
}

/** A caller's process. */
export interface Process {
  readonly name: string
  readonly role: Contestant.Role
  readonly run: (job: Job) => Effect.Effect<Done>
}

const isDone = (message: unknown): message is Done =>
  typeof message === "object" && message !== null && "cost" in message && "answer" in message

const callerProgram = Paths.beside("suites/network/callerProgram")

/** Starts a caller's process, until the scope ends: of this build or, under another name, of another one. */
export const start = (
  name: string,
  { program = callerProgram, shown = name } = {}
): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => fork(program, [name], { serialization: "advanced" })),
      (child) => Effect.sync(() => child.kill())
    ),
    (child): Process => ({
      name: shown,
      role: callers[name]?.role ?? "peer",
      run: (job) =>
        Effect.callback((resume) => {
          const ended = () => resume(Effect.die(`${name} ended`))
          child.once("exit", ended)
          child.once("message", (message: unknown) => {
            child.off("exit", ended)
            resume(isDone(message) ? Effect.succeed(message) : Effect.die(`${name}: ${String(message)}`))
          })
          child.send(job)
        })
    })
  )

/** All of them, and beside them the client of another commit, whose built checkout `BENCH_BESIDE` may name. */
export const startAll = Effect.gen(function* () {
  const others = yield* Config.withDefault(Config.Array(Schema.String, "BENCH_BESIDE"), [])
  return yield* Effect.all([
    ...Object.keys(callers).map((name) => start(name)),
    ...others.map((other) =>
      start(names.ours, {
        program: callerProgram.replace(Paths.root, `${other}/`),
        shown: `${names.ours} of ${other}`
      })
    )
  ])
})
