import { RetryPolicy } from "@effect-zim/client"
import { CsvSink, Export, NdjsonSink, type ExportSink } from "@effect-zim/export"
import { assert, describe, layer } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Csv from "effect/encoding/Csv"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Crashed, Disk, type Plan } from "./disk.ts"
import { blocksOf, impatient, layer as service, recordsOf, worldOf } from "./support.ts"

const world = worldOf([3, 0, 501, 1, 1003, 12, 7, 2, 30])

/** Users in an order of their own, some twice, some unknown, and lines that are no id. */
const lines = [
  "user-4",
  "user-0",
  "",
  "user-2",
  "stranger",
  "user-0",
  "user/1",
  "user-1",
  "user-3",
  "user-5",
  "user-6",
  "user-7",
  "user-8"
]
const failures = [
  { line: 3, userId: "", error: "BlankLine" },
  { line: 5, userId: "stranger", error: "UserNotRegistered", code: 660500002 },
  { line: 6, userId: "user-0", error: "DuplicateUser" },
  { line: 7, userId: "user/1", error: "UserIdInvalid" }
]
const counts = { lines: 13, users: 9, failed: 1, invalid: 2, duplicates: 1 }

const records = new Map(
  lines.map((userId) => [userId, recordsOf(world, userId)] as const).filter(([, records]) => records.length > 0)
)

const Failure = Schema.fromJsonString(
  Schema.Struct({
    line: Schema.Int,
    userId: Schema.String,
    error: Schema.String,
    code: Schema.optional(Schema.Int),
    requestId: Schema.optional(Schema.String),
    message: Schema.String
  })
)

const assertFailures = (text: string) => {
  const found = text
    .split("\n")
    .slice(0, -1)
    .map((line) => Schema.decodeSync(Failure)(line))
  for (const failure of found) {
    assert.strictEqual(failure.requestId !== undefined, failure.code !== undefined)
    assert.isNotEmpty(failure.message)
  }
  assert.deepStrictEqual(
    found
      .toSorted((a, b) => a.line - b.line)
      .map(({ code, error, line, userId }) => ({ line, userId, error, ...(code === undefined ? {} : { code }) })),
    failures
  )
}

const ndjson = {
  make: (path: string) => NdjsonSink.make({ path }),
  path: "/out.ndjson",
  failures: "/out.ndjson.failures.ndjson",
  read: (text: string): Effect.Effect<ReadonlyArray<unknown>> =>
    Effect.sync(() => {
      assert.isTrue(text.endsWith("\n"))
      return text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    })
}
const csv = {
  make: (path: string) => CsvSink.make({ path }),
  path: "/out.csv",
  failures: "/out.csv.failures.ndjson",
  read: (text: string): Effect.Effect<ReadonlyArray<unknown>> =>
    Stream.make(text).pipe(
      Stream.pipeThroughChannel(Csv.decodeString({ headers: true })),
      Stream.map((record) => ({ ...record, typeCode: Number(record["typeCode"]) })),
      Stream.runCollect,
      Effect.orDie
    )
}

const apart = {
  ...ndjson,
  make: (path: string) => NdjsonSink.make({ path, failures: "/logs/failures.ndjson" }),
  failures: "/logs/failures.ndjson"
}

const assertComplete = Effect.fnUntraced(function* (disk: Disk, format: typeof ndjson) {
  const out = yield* format.read(disk.text(format.path) ?? assert.fail("there is no output"))
  const blocks = blocksOf(
    out.map((record) => JSON.stringify(record)),
    (line) => JSON.parse(line).userId
  )
  assert.deepStrictEqual([...blocks.keys()].toSorted(), [...records.keys()].toSorted())
  for (const [userId, block] of blocks) {
    assert.deepStrictEqual(
      block.map((line) => JSON.parse(line)),
      records.get(userId),
      userId
    )
  }
  assertFailures(disk.text(format.failures) ?? "")
  // Nothing else is left behind.
  assert.deepStrictEqual(
    disk
      .paths()
      .filter((path) => !path.endsWith(".tmp"))
      .toSorted(),
    [format.path, `${format.path}.checkpoint`, format.failures].toSorted()
  )
})

/** What every export leaves alike: its lines but for their order, and where its checkpoint says it is. */
const leftBy = (disk: Disk, format: typeof ndjson) => {
  const { appId, counts, isFinished, output, place } = JSON.parse(disk.text(`${format.path}.checkpoint`) ?? "null")
  return {
    lines: disk.text(format.path)?.split("\n").toSorted(),
    checkpoint: { appId, counts, isFinished, place, length: output.length }
  }
}

const exportTo = Effect.fnUntraced(
  function* (
    _disk: Disk,
    format: typeof ndjson,
    options?: { readonly mode?: ExportSink.Mode; readonly users?: ReadonlyArray<string> }
  ) {
    const sink = yield* format.make(format.path)
    const users = Stream.fromIterable(options?.users ?? lines)
    return yield* Stream.runCollect(Export.run(users, { sink, mode: options?.mode ?? "resume", concurrency: 2 }))
  },
  (effect, disk) => Effect.provide(effect, disk.layer),
  RetryPolicy.provide(impatient)
)

/** Runs until it is done; crashes as planned, one after the other. Returns how often it ran. */
const surviving = Effect.fnUntraced(function* (disk: Disk, format: typeof ndjson, plans: ReadonlyArray<Plan>) {
  const left = [...plans]
  let runs = 0
  while (true) {
    disk.start(left.shift())
    runs++
    const exit = yield* Effect.exit(exportTo(disk, format))
    if (Exit.isSuccess(exit)) {
      const last = exit.value.at(-1)
      assert.strictEqual(last?._tag, "Finished")
      if (last?._tag === "Finished") assert.deepInclude(last.counts, counts)
      return runs
    }
    const defect = Cause.squash(exit.cause)
    if (!(defect instanceof Crashed) && !String(defect).includes("no space left"))
      return yield* Effect.failCause(exit.cause)
  }
})

const plan = Arbitrary.map(
  Arbitrary.schema(
    Schema.Struct({
      at: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 })),
      how: Schema.Literals(["killed", "powerCut", "full"]),
      survives: Schema.Literals([0, 0.25, 0.5, 0.75, 1])
    })
  ),
  (plan): Plan => plan
)

describe("a file sink", () => {
  layer(service({ world }), { excludeTestServices: true })((it) => {
    for (const [name, format] of Object.entries({ ndjson, csv, "failures apart": apart })) {
      it.effect(`${name}: after a crash at each step the next run leaves what an undisturbed one would`, () =>
        Effect.gen(function* () {
          const whole = new Disk()
          yield* surviving(whole, format, [])
          yield* assertComplete(whole, format)
          const undisturbed = leftBy(whole, format)
          const { steps } = whole
          assert.isAbove(steps, 25)
          for (const how of ["killed", "powerCut", "full"] as const) {
            for (let at = 1; at <= steps; at++) {
              const disk = new Disk()
              yield* surviving(disk, format, [{ at, how, survives: (at % 5) / 4 }])
              yield* assertComplete(disk, format)
              assert.deepStrictEqual(leftBy(disk, format), undisturbed)
            }
          }
        })
      )

      it.effect.prop(
        `${name}: after any series of crashes too`,
        { plans: Arbitrary.array(plan, { maxLength: 8 }) },
        ({ plans }) =>
          Effect.gen(function* () {
            const disk = new Disk()
            yield* surviving(disk, format, plans)
            yield* assertComplete(disk, format)
          }),
        { arbitrary: { seed: 5, runs: 60 } }
      )
    }
  })
})
