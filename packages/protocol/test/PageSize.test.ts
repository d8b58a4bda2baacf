import { PageSize, WireJson } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { problemOf } from "./problemOf.ts"

const problem = (size: unknown) => {
  const found = problemOf(PageSize.PageSize, size)
  assert.strictEqual(PageSize.is(size), found === undefined)
  return found
}

const wire = Schema.Struct({ Limit: PageSize.FromWire })
const read = (text: string): number => Schema.decodeUnknownSync(wire)(WireJson.parse(text)).Limit
const inRange = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 }))

/** The rule in the words of the contract: 0 or less becomes 100, more than 500 becomes 500, the rest stays. */
const rule = (size: number | bigint) => (size > 500 ? 500 : size <= 0 ? 100 : Number(size))

const notWhole: ReadonlyArray<unknown> = [0.5, 1.5, 499.999, -0.5, 500.5, Number.NaN, Infinity, -Infinity, null]

describe("PageSize", () => {
  it.prop("accepts 1 to 500 and nothing else", { size: Schema.Int }, ({ size }) => {
    assert.strictEqual(problem(size) === undefined, size >= 1 && size <= 500)
  })

  it.each([[1], [500]])("accepts the bound %d", (size) => {
    assert.strictEqual(PageSize.make(size), size)
    assert.isUndefined(problem(size))
  })

  it.each([[0], [501], [-1]])("rejects %d, and says the range", (size) => {
    assert.strictEqual(problem(size), `a page size is a whole number from 1 to 500, not ${size}`)
    assert.throws(() => PageSize.make(size), /a whole number from 1 to 500/)
  })

  it.each([...notWhole, "100", 100n])("rejects %s, which is no whole number", (size) => {
    assert.isDefined(problem(size))
  })
})

describe("correct", () => {
  it.prop("is the service's rule, and always gives a page size", { size: Schema.Int }, ({ size }) => {
    const corrected = PageSize.correct(size)
    assert.strictEqual(corrected, rule(size))
    assert.strictEqual(problemOf(PageSize.PageSize, corrected), undefined)
    assert.strictEqual(PageSize.correct(corrected), corrected)
  })

  it.prop("leaves a page size as it is", { size: inRange }, ({ size }) => PageSize.correct(size) === size)

  it("has its edges at 0 and 500", () => {
    assert.deepStrictEqual([-1, -0, 0, 1, 499, 500, 501].map(PageSize.correct), [100, 100, 100, 1, 499, 500, 500])
  })

  it("makes no page size of a fraction in range, nor of NaN", () => {
    for (const size of [0.5, 1.5, 499.999, Number.NaN]) {
      assert.isDefined(problemOf(PageSize.PageSize, PageSize.correct(size)))
    }
  })
})

describe("FromWire", () => {
  it.prop("corrects any integer, however large", { size: WireJson.WireInteger }, ({ size }) => {
    assert.strictEqual(Schema.decodeUnknownSync(wire)({ Limit: size }).Limit, rule(size))
  })

  it("corrects what does not fit into a number", () => {
    assert.strictEqual(read('{"Limit":99999999999999999999999}'), 500)
    assert.strictEqual(read('{"Limit":-99999999999999999999999}'), 100)
  })

  it("is 100 where it is left out", () => {
    assert.strictEqual(read("{}"), 100)
    assert.strictEqual(PageSize.serviceDefault, 100)
  })

  it.each([...notWhole, "100", true])("rejects %s: the documentation does not correct it", (size) => {
    assert.isDefined(problemOf(wire, { Limit: size }))
  })

  it.prop("is sent as the number it is", { size: inRange }, ({ size }) => {
    assert.deepStrictEqual(Schema.encodeSync(wire)({ Limit: PageSize.make(size) }), { Limit: size })
  })
})
