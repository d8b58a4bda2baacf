import { Excerpt } from "@effect-zim/protocol"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

it.effect.prop("is the beginning of the text, broken characters included", [Schema.String, Schema.Int], ([text, n]) =>
  Effect.sync(() => {
    const length = Math.abs(n % 40)
    const broken = `\ud800${text}\udc00`
    assert.strictEqual(Excerpt.of(broken, length), broken.slice(0, length))
  })
)

it("keeps nothing of the rest in memory", () => {
  setFlagsFromString("--expose-gc")
  const used = (): number => {
    runInNewContext("gc()")
    return process.memoryUsage().heapUsed
  }
  const before = used()
  const kept = Array.from({ length: 30 }, (_, i) => Excerpt.of(JSON.stringify("x".repeat(2_000_000)) + i, 400))
  assert.isBelow(used() - before, 5_000_000)
  assert.strictEqual(kept.join("").length, 30 * 400)
})
