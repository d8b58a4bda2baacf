import { Catalog, QueryConversationList } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"

const count = (method: Catalog.Method, kind: "Read" | "Write"): number =>
  Array.from(Catalog.operations.values()).filter((one) => one.method === method && one.kind === kind).length

describe("Catalog", () => {
  it("has the 71 documented operations", () => {
    assert.deepStrictEqual(
      [count("GET", "Read"), count("GET", "Write"), count("POST", "Read"), count("POST", "Write")],
      [8, 12, 12, 39]
    )
  })

  it("says of a typed operation what its value says", () => {
    const { action, kind } = QueryConversationList.operation
    assert.deepStrictEqual(Catalog.operations.get(action), { method: "POST", kind })
  })
})
