import { assert, describe, it } from "@effect/vitest"
import { Seen } from "../src/internal/seen.ts"

describe("Seen", () => {
  it("knows 200,000 ids that hardly differ from those that came before", () => {
    const seen = new Seen({ high: 1, low: 2 })
    for (const round of [true, false]) {
      for (let i = 0; i < 200_000; i++) assert.strictEqual(seen.add(`user-${i}`), round)
    }
    for (const id of ["", "a", "aa", "aaa", "\0", "b".repeat(32), "b".repeat(31)]) assert.isTrue(seen.add(id), id)
  })
})
