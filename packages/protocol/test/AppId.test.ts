import { AppId } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { problemOf } from "./problemOf.ts"

const maximum = 4294967295

describe("AppId", () => {
  it.prop("is any unsigned 32-bit integer, and no other", { id: Schema.Int }, ({ id }) => {
    assert.strictEqual(problemOf(AppId.AppId, id) === undefined, id >= 0 && id <= maximum)
  })

  it.prop(
    "accepts the whole range",
    { id: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })) },
    ({ id }) => AppId.make(id) === id
  )

  it.each([[0], [1], [2147483648], [maximum]])("accepts %d", (id) => {
    assert.strictEqual(AppId.make(id), id)
  })

  it.each([[-1], [maximum + 1], [Number.MAX_SAFE_INTEGER]])("rejects %d, and says the range", (id) => {
    assert.strictEqual(problemOf(AppId.AppId, id), `an AppId is a whole number from 0 to 4294967295, not ${id}`)
    assert.throws(() => AppId.make(id), /a whole number from 0 to 4294967295/)
  })

  it.each([[0.5], [Number.NaN], [Infinity], [1e300]])("rejects %d, and says the range", (id) => {
    assert.strictEqual(problemOf(AppId.AppId, id), "an AppId is a whole number from 0 to 4294967295")
  })

  it.each(["abc", "1.5", "12345x", "0x"])("rejects %s as text, and says the range", (text) => {
    assert.strictEqual(problemOf(AppId.FromString, text), "an AppId is a whole number from 0 to 4294967295")
  })

  it("reads text", () => {
    assert.strictEqual(Schema.decodeSync(AppId.FromString)("12345"), AppId.make(12345))
  })

  it.each([["12345"], [12345n], [null], [undefined]])("rejects %s, which is no number", (id) => {
    assert.isDefined(problemOf(AppId.AppId, id))
  })
})
