/** Numbers that are none: refused by name before anything is touched, and never a hang. */
import { Export, Progress } from "@effect-zim/export"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import { fresh, layer, worldOf } from "./support.ts"

/** The options that are numbers: one that is new and not tried below does not compile. */
type Numbers<Options> = {
  [Key in keyof Options]-?: number extends Options[Key] ? Key : never
}[keyof Options]

const run = (options: Partial<Export.Options>) =>
  Effect.gen(function* () {
    const path = yield* fresh
    const users = Stream.make("user-0", "user-1")
    const exit = yield* Effect.exit(Stream.runDrain(Export.run(users, { sink: SqliteSink.make({ path }), ...options })))
    assert.strictEqual(existsSync(path), Exit.isSuccess(exit))
    return exit
  }).pipe(Effect.provide(layer({ world: worldOf([3, 0]) })))

const exports: Record<Numbers<Export.Options>, ReadonlyArray<number>> = {
  concurrency: [NaN, 0, -1, -Infinity],
  pageSize: [NaN, 0.5]
}
const meters: Record<Numbers<NonNullable<Parameters<typeof Progress.meter>[0]>>, ReadonlyArray<number>> = {
  lines: [NaN, -1, 0.5, Infinity],
  callsPerSecond: [NaN, 0, -1]
}

describe("a number that is none", () => {
  for (const [name, values] of Object.entries(exports)) {
    it.effect.each(values)(`is no ${name} of an export: %d`, (value) =>
      Effect.gen(function* () {
        const exit = yield* run({ [name]: value })
        const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.instanceOf(defect, RangeError)
        assert.match(defect.message, new RegExp(`^the export's ${name} is .*, not ${value}$`))
      })
    )
  }

  for (const [name, values] of Object.entries(meters)) {
    it.effect.each(values)(`is no ${name} of a meter: %d`, (value) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Progress.meter({ [name]: value }))
        assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), `the meter's ${name} is `)
      })
    )
  }

  it.effect("unlike one that is odd, and means something", () =>
    Effect.gen(function* () {
      for (const concurrency of [1, 1.5, 1e300, Infinity]) assert.isTrue(Exit.isSuccess(yield* run({ concurrency })))
      for (const pageSize of [-Infinity, -1, 0, 1, 1e300, Infinity])
        assert.isTrue(Exit.isSuccess(yield* run({ pageSize })), `${pageSize}`)
    })
  )
})
