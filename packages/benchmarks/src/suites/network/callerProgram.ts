/** A program: one caller of `Callers`, who does what it is told over IPC and says what it cost. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { app, callers, type Done, type Job } from "./Callers.ts"

/** Spans that are made and seen, and thrown away. */
const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })

const made = callers[process.argv[2] ?? ""]
const scope = Scope.makeUnsafe()

const contestants = new Map<string, Effect.Success<ReturnType<NonNullable<typeof made>["caller"]>>>()
const contestantFor = Effect.fnUntraced(function* ({ concurrency, url }: Job) {
  const key = `${concurrency} ${url}`
  const known = contestants.get(key)
  if (known !== undefined) return known
  if (made === undefined) return yield* Effect.die("no such caller")
  const contestant = yield* made.caller({ ...app, url }, concurrency)
  contestants.set(key, contestant)
  return contestant
})

const run = (job: Job): Effect.Effect<Done, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const contestant = yield* contestantFor(job)
    const work = contestant.work(job.times)
    const cpu = process.cpuUsage()
    const started = performance.now()
    yield* job.isTraced ? Effect.provideService(work, Tracer.Tracer, tracer) : work
    const wall = (performance.now() - started) * 1000
    const { system, user } = process.cpuUsage(cpu)
    const times = Math.max(1, job.times)
    return {
      cost: { cpu: (system + user) / times, wall: wall / times },
      answer: job.times === 0 ? yield* contestant.answer : undefined
    }
  })

const answer = async (job: Job): Promise<void> => {
  const done = await Effect.runPromise(Scope.provide(run(job), scope)).catch(String)
  process.send?.(done)
}

process.on("message", (job: Job) => void answer(job))
process.on("disconnect", () => process.exit())
