import { ReturnCode } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
const cells = readme
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim())
  )

const own = ["InvalidInput", "RateLimited", "UserNotRegistered", "QueryFailed"]
const tags = [...own, ...ReturnCode.table.map((row) => row.error).filter((tag) => !own.includes(tag))]

describe("README", () => {
  it("has one row for each error class, with its codes and their retry classes as the table has them", () => {
    const expected = [...new Set(tags)].map((tag) => {
      const rows = ReturnCode.table.filter((row) => row.error === tag)
      const retries = [...new Set(rows.map((row) => row.retry))].map((retry) => {
        const codes = rows.filter((row) => row.retry === retry).map((row) => row.code)
        return { retry, codes: codes.join(", ") }
      })
      return retries.map(({ codes, retry }) => [`\`${tag}\``, codes, `\`${retry}\``])
    })
    const start = cells.findIndex(([first]) => first === "Class")
    assert.deepStrictEqual(
      cells.slice(start + 2).map((row) => row.slice(0, 3)),
      [...expected.flat(), ["`UnknownReturnCode`", "any other", "`Never`"]]
    )
  })

  it("lists every module", async () => {
    const modules = Object.keys(await import("@effect-zim/protocol"))
    const start = cells.findIndex(([first]) => first === "Module")
    const end = cells.findIndex(([first]) => first === "Class")
    assert.sameMembers(
      cells.slice(start + 2, end).map(([first]) => first),
      modules.map((name) => `\`${name}\``)
    )
  })
})
