import { Query } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"

const WellFormed = Schema.String.check(Schema.makeFilter((text) => text.isWellFormed()))
const Scalar = Schema.Union([WellFormed, Schema.Finite, Schema.BigInt, Schema.Boolean])
const Name = WellFormed.check(Schema.isPattern(/^x[^[\]]*$/))
const AnyFields = Schema.Record(Name, Schema.Union([Scalar, Schema.NonEmptyArray(Scalar)]))

const problemOf = (fields: unknown): string => {
  const result = Query.encode(fields)
  return Result.isFailure(result) ? result.failure.message.replaceAll(/\s+/g, " ") : assert.fail(result.success)
}

/** What one value is as text: as JSON has it, integers with all their digits. */
const textOf = (value: Query.Scalar): string =>
  typeof value === "number" && Number.isInteger(value) ? BigInt(value).toString() : String(value)

describe("Query", () => {
  it.prop("says each parameter and each element of a list, in their order", [AnyFields], ([fields]) => {
    const query = Result.getOrThrow(Query.encode(fields))
    assert.deepStrictEqual(
      [...new URLSearchParams(query)],
      Object.entries(fields).flatMap(([name, value]) =>
        typeof value === "object"
          ? value.map((element) => [`${name}[]`, textOf(element)])
          : [[name, textOf(value)] as const]
      )
    )
    // Nothing that a URL, a line of a log or an HTTP client could take for something else.
    assert.match(query, /^[\w.~!*'()%&=-]*$/)
  })

  it("writes integers without an exponent, and brackets once", () => {
    const fields = { A: 1e21, B: 2n ** 64n, C: -0, D: 0.5, "E[]": ["a b", true], F: undefined, "G[]": "one" }
    assert.strictEqual(
      Result.getOrThrow(Query.encode(fields)),
      "A=1000000000000000000000&B=18446744073709551616&C=0&D=0.5&E%5B%5D=a%20b&E%5B%5D=true&G%5B%5D=one"
    )
    assert.strictEqual(Result.getOrThrow(Query.encode({})), "")
  })

  it.each([
    [{ a: null }, 'null, which a query cannot say: leave the parameter out at ["a"]'],
    [
      { a: { b: "canary" } },
      'nested, which a query cannot say: give text, a number, a boolean, or a list of these at ["a"]'
    ],
    [
      { a: ["canary", ["canary"]] },
      'nested, which a query cannot say: give text, a number, a boolean, or a list of these at ["a"][1]'
    ],
    [{ a: [] }, 'an empty list, which a query cannot say: leave the parameter out at ["a"]'],
    [{ a: NaN }, 'a number that is not finite at ["a"]'],
    [{ a: "canary\uD800" }, 'a text that UTF-8 cannot write at ["a"]'],
    [{ "a\uD800": "canary" }, "a name that UTF-8 cannot write"],
    [{ "[]": ["canary"] }, "a parameter without a name"],
    ["canary", "an object, of which each member is a parameter"],
    [["canary"], "an object, of which each member is a parameter"]
  ] as const)("refuses %j and says why, without the value", (fields, problem) => {
    assert.include(problemOf(fields), problem)
    assert.notInclude(problemOf(fields), "canary")
  })

  it("refuses each common parameter, however it is written", () => {
    for (const name of ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature"]) {
      for (const one of [name, name.toLowerCase(), `${name}[]`]) {
        assert.include(problemOf({ [one]: "canary" }), "the name of a common parameter, which the client sends")
      }
    }
  })
})
