import { OperationCode, ReturnCode } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"

const rateLimits = [660300006, 660500003, 660600004, 660600005, 660600007, 660600010, 660700001]

describe("OperationCode", () => {
  it("has each documented code that the table of return codes has not, once", () => {
    const codes = OperationCode.table.map(({ code }) => code)
    assert.strictEqual(codes.length, 107)
    assert.deepStrictEqual(
      codes,
      Array.from(new Set(codes)).toSorted((a, b) => a - b)
    )
    assert.deepStrictEqual(
      codes.filter((code) => ReturnCode.lookup(code) !== undefined),
      []
    )
  })

  it("knows the limits of single operations, groups and rooms", () => {
    const found = OperationCode.table.filter(({ retry }) => retry === "RateLimit").map(({ code }) => code)
    assert.deepStrictEqual(found, rateLimits)
  })

  it("says of each what it means and what to do, in ASCII", () => {
    for (const { advice, meaning } of OperationCode.table) {
      assert.match(meaning, /^[A-Z][ -~]+[^.]$/)
      assert.match(advice, /^[A-Z][ -~]+\.$/)
    }
  })

  it("finds a code, and none that nobody documents", () => {
    assert.strictEqual(OperationCode.lookup(660600001)?.category, "NotFound")
    assert.isUndefined(OperationCode.lookup(660300005))
    assert.isUndefined(OperationCode.lookup(4711))
  })
})
