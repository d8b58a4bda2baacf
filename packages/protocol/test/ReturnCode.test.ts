import { ReturnCode } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"

/** The table of the documentation, written out: code, category, whether repeating helps, error class. */
const documented: ReadonlyArray<readonly [number, ReturnCode.Category, ReturnCode.Retry, string]> = [
  [660000002, "BadRequest", "Never", "InvalidInput"],
  [660300005, "RateLimit", "RateLimit", "RateLimited"],
  [660500002, "NotRegistered", "Never", "UserNotRegistered"],
  [660800053, "Server", "Bounded", "QueryFailed"],
  [1, "Server", "Transient", "ServiceFailed"],
  [2, "BadRequest", "Never", "MalformedRequest"],
  [3, "Authentication", "Never", "AuthenticationFailed"],
  [7, "RateLimit", "RateLimit", "Throttled"],
  [105001, "Server", "Bounded", "ServiceFailed"],
  [100000000, "BadRequest", "Never", "MalformedRequest"],
  [100000001, "BadRequest", "Never", "MalformedRequest"],
  [100000002, "BadRequest", "Never", "MalformedRequest"],
  [100000003, "BadRequest", "Never", "MalformedRequest"],
  [100000004, "Clock", "Clock", "SignatureExpired"],
  [100000005, "Authentication", "Never", "AuthenticationFailed"],
  [100000006, "BadRequest", "Never", "MalformedRequest"],
  [100000007, "BadRequest", "Never", "MalformedRequest"],
  [100000008, "BadRequest", "Never", "MalformedRequest"],
  [100000009, "BadRequest", "Never", "MalformedRequest"],
  [100000010, "Server", "Bounded", "ServiceFailed"],
  [100000011, "Server", "Bounded", "ServiceFailed"],
  [100000012, "Server", "Bounded", "ServiceFailed"],
  [100000013, "BadRequest", "Never", "MalformedRequest"],
  [100000014, "BadRequest", "Never", "MalformedRequest"],
  [100000015, "Server", "Bounded", "ServiceFailed"],
  [100000016, "Permission", "Never", "NotPermitted"],
  [100000017, "Permission", "Never", "NotPermitted"],
  [660000001, "Server", "Transient", "ServiceFailed"],
  [660000003, "Server", "Transient", "ServiceFailed"],
  [660000012, "BadRequest", "Never", "MalformedRequest"],
  [660000028, "Permission", "Never", "NotPermitted"]
]

describe("table", () => {
  it("has exactly the 31 documented codes, in order, each once", () => {
    assert.strictEqual(documented.length, 31)
    assert.deepStrictEqual(
      ReturnCode.table.map((row) => row.code),
      documented.map(([code]) => code).toSorted((one, other) => one - other)
    )
  })

  it.each(documented)("%d is %s, retry %s, and arrives as %s", (code, category, retry, error) => {
    const row = ReturnCode.lookup(code)
    assert.strictEqual(row?.category, category)
    assert.strictEqual(row?.retry, retry)
    assert.strictEqual(row?.error, error)
  })

  it("says of every code what it means and, in whole sentences, what to do", () => {
    for (const row of ReturnCode.table) {
      assert.match(row.meaning, /^[A-Z].*[^.]$/, `${row.code}`)
      assert.match(row.advice, /^[A-Za-z].{15,}\.$/, `${row.code}`)
    }
  })
})

describe("lookup", () => {
  it.prop("knows the codes of the table and no other", { code: Schema.Int }, ({ code }) => {
    assert.strictEqual(
      ReturnCode.lookup(code) !== undefined,
      documented.some(([known]) => known === code)
    )
  })

  it("does not know success", () => {
    assert.isUndefined(ReturnCode.lookup(0))
  })
})

describe("codesOf", () => {
  it.each([...new Set(documented.map(([, , , error]) => error))].map((tag) => [tag]))("gives those of %s", (tag) => {
    const row = ReturnCode.table.find((row) => row.error === tag)
    const expected = documented.flatMap(([code, , , error]) => (error === tag ? [code] : []))
    assert.deepStrictEqual<unknown>(
      row === undefined ? undefined : ReturnCode.codesOf(row.error),
      expected.toSorted((one, other) => one - other)
    )
  })
})

it("the table in the contract is this one", () => {
  const page = readFileSync(new URL("../../../docs/contract.md", import.meta.url), "utf8")
  const rows = page.matchAll(/^\| (\d+) +\| (.+?) +\| (\w+) +\| (\w+) +\| `(\w+)` +\|$/gm)
  const table = ReturnCode.table.map((row) => [row.code, row.meaning, row.category, row.retry, row.error].join("; "))
  assert.sameMembers(
    Array.from(rows, ([, ...cells]) => cells.join("; ")),
    table
  )
})
