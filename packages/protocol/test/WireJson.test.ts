import { WireJson } from "@effect-zim/protocol"
import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
// Node's own: it tells -0 from 0, and one prototype from another.
import assert from "node:assert/strict"
import { problemOf } from "./problemOf.ts"

type Tree = null | boolean | string | number | bigint | ReadonlyArray<Tree> | { readonly [key: string]: Tree }

const isSafe = (value: number | bigint) => value >= -Number.MAX_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER

/** Numbers as `JSON.parse` may give them without having rounded: safe ones, and those never written as digits alone. */
const exactNumber = Schema.Finite.check(
  Schema.makeFilter((value) => !Object.is(value, -0) && (isSafe(value) || String(value).includes("e")))
)

// JSON text has no minus zero of its own: `JSON.stringify` prints it as 0.
const safeInteger = Schema.Int.check(Schema.makeFilter((value) => !Object.is(value, -0)))

/** Integers that `JSON.parse` rounds, of up to 308 digits. */
const unsafeInteger = Schema.BigInt.check(
  Schema.isBetweenBigInt({ minimum: -(10n ** 308n) + 1n, maximum: 10n ** 308n - 1n })
).check(Schema.makeFilter((value) => !isSafe(value)))

const leaf = [Schema.Null, Schema.Boolean, Schema.String, safeInteger, exactNumber] as const
const treeOf = (leaves: ReadonlyArray<Schema.Codec<Tree>>): Schema.Codec<Tree> => {
  const tree: Schema.Codec<Tree> = Schema.Union([
    ...leaves,
    Schema.Array(Schema.suspend(() => tree)),
    Schema.Record(
      Schema.String,
      Schema.suspend(() => tree)
    )
  ])
  return tree
}

/** What a string is made of that may be taken for something else. */
const piece = Schema.Literals(["971503777289036701", "-", "1e20", ".", ":", ",", "[", "]", " ", '"', "\\", "\n", "x"])

const plainTree = treeOf(leaf)
const exactTree = treeOf([...leaf, unsafeInteger])

/** The same tree with ordinary prototypes, as a parser makes them. */
const parsed = (tree: Tree): Tree =>
  Array.isArray(tree)
    ? tree.map(parsed)
    : typeof tree === "object" && tree !== null
      ? Object.fromEntries(Object.entries(tree).map(([key, member]) => [key, parsed(member)]))
      : tree

describe("parse and stringify", () => {
  it.prop("undo each other", { tree: exactTree }, ({ tree }) => {
    assert.deepStrictEqual(WireJson.parse(WireJson.stringify(tree)), parsed(tree))
  })

  it.prop("are JSON where no integer is unsafe", { tree: plainTree }, ({ tree }) => {
    const text = JSON.stringify(tree)
    assert.strictEqual(WireJson.stringify(tree), text)
    assert.deepStrictEqual(WireJson.parse(text), JSON.parse(text))
  })

  it.prop("are JSON in layout too: one unsafe integer changes nothing else", { tree: plainTree }, ({ tree }) => {
    const unsafe = 971503777289036701n
    const text = JSON.stringify({ tree, unsafe: 0 }, null, 2).replace('"unsafe": 0', `"unsafe": ${unsafe}`)
    assert.deepStrictEqual(WireJson.parse(text), { tree: parsed(tree), unsafe })
  })

  it.prop(
    "keep any unsafe integer exact beside any other",
    { integers: Schema.Array(unsafeInteger) },
    ({ integers }) => {
      assert.deepStrictEqual(WireJson.parse(`[0,${[...integers, 1].join(" , ")}]`), [0, ...integers, 1])
    }
  )

  it.prop(
    "tell integers from strings that read like JSON with integers",
    { pieces: Schema.Array(piece), key: Schema.Array(piece), integer: unsafeInteger },
    ({ integer, key, pieces }) => {
      const tree = { [`k${key.join("")}`]: pieces.join(""), list: [pieces.join(""), integer], integer }
      assert.deepStrictEqual(WireJson.parse(WireJson.stringify(tree)), tree)
    }
  )

  it.prop(
    "give what JSON gives for any text: a value or a SyntaxError",
    {
      text: Schema.String,
      before: Schema.Literals(["", "[", '{"a":', '"']),
      after: Schema.Literals(["", "]", "}", '"'])
    },
    ({ after, before, text }) => {
      const outcome = (parse: (text: string) => unknown): unknown => {
        try {
          return { value: parse(before + text + after) }
        } catch (error) {
          return error instanceof SyntaxError ? "SyntaxError" : error
        }
      }
      // A text of digits alone may be an unsafe integer: that is what the other properties are about.
      if (!/[0-9]{16}/.test(text)) assert.deepStrictEqual(outcome(WireJson.parse), outcome(JSON.parse))
    }
  )
})

describe("parse", () => {
  it("gives a bigint exactly where a number would be rounded", () => {
    assert.deepStrictEqual(WireJson.parse("[9007199254740991,9007199254740992,-9007199254740991,-9007199254740992]"), [
      9007199254740991,
      9007199254740992n,
      -9007199254740991,
      -9007199254740992n
    ])
  })

  it("leaves fractions, exponents and strings as they are, beside an unsafe integer too", () => {
    const others = '1e20,1E400,9007199254740993.0,-0,0.1,"971503777289036701"'
    assert.deepStrictEqual(WireJson.parse(`[${others},971503777289036701]`), [
      1e20,
      Infinity,
      9007199254740992,
      -0,
      0.1,
      "971503777289036701",
      971503777289036701n
    ])
  })

  it("reads an integer of more than 308 digits as Infinity, which is no WireInteger, and quickly", () => {
    assert.strictEqual(WireJson.parse("9".repeat(309)), Infinity)
    assert.strictEqual(WireJson.parse(`-${"9".repeat(8_000_000)}`), -Infinity)
    assert.notStrictEqual(problemOf(WireJson.WireInteger, Infinity), undefined)
  })

  it("reads an integer of 309 digits exactly, where it is not Infinity", () => {
    const digits = `1${"0".repeat(307)}1`
    assert.deepStrictEqual(WireJson.parse(`[${digits},-${digits}]`), [BigInt(digits), -BigInt(digits)])
  })

  it("takes the last of two members with the same name", () => {
    const unsafe = 971503777289036701n
    assert.deepStrictEqual(WireJson.parse(`{"a":${unsafe},"a":1,"b":1,"b":${unsafe}}`), { a: 1, b: unsafe })
  })

  it("makes no prototype of a key", () => {
    for (const text of [
      '{"__proto__":{"Code":0},"constructor":1,"toString":2}',
      '{"__proto__":{"Code":0},"constructor":1,"toString":971503777289036701}'
    ]) {
      const value = WireJson.parse(text)
      assert.deepStrictEqual(Object.keys(value ?? {}), ["__proto__", "constructor", "toString"])
      assert.strictEqual(Object.getPrototypeOf(value), Object.prototype)
      assert.strictEqual(Object.getOwnPropertyDescriptor(value, "Code"), undefined)
      assert.strictEqual(WireJson.stringify(value), text)
    }
    assert.ok(!Object.hasOwn(Object.prototype, "Code"))
  })

  it.each([[""], [" "], ["{"], ["[1,]"], ["{'a':1}"], ["undefined"], ["NaN"], ["01"], ["1n"], ["\ufeff{}"], ["{}{}"]])(
    "throws a SyntaxError on %j",
    (text) => {
      assert.throws(() => WireJson.parse(text), SyntaxError)
    }
  )
})

describe("hasRounded and parseKnown", () => {
  it.prop("see whether a plain parse lost something", { tree: exactTree }, ({ tree }) => {
    const text = WireJson.stringify(tree)
    const plain: unknown = JSON.parse(text)
    const isRounded = (value: unknown): boolean =>
      Array.isArray(value)
        ? value.some(isRounded)
        : typeof value === "object" && value !== null
          ? Object.values(value).some(isRounded)
          : typeof value === "number" && Number.isInteger(value) && !isSafe(value)
    assert.strictEqual(WireJson.hasRounded(plain), isRounded(plain))
    assert.deepStrictEqual(
      WireJson.parseKnown(text, (value) => !isRounded(value)),
      parsed(tree)
    )
  })

  it("take the word of who says that nothing was rounded, and do not take the opposite for granted", () => {
    assert.strictEqual(
      WireJson.parseKnown("971503777289036701", () => true),
      971503777289036700
    )
    assert.strictEqual(
      WireJson.parseKnown("1e20", () => false),
      1e20
    )
  })
})

describe("stringify", () => {
  it("prints a bigint bare, at any place and size", () => {
    assert.strictEqual(WireJson.stringify(5n), "5")
    assert.strictEqual(WireJson.stringify({ a: [-(2n ** 64n), { b: 0n }] }), '{"a":[-18446744073709551616,{"b":0}]}')
  })

  it("treats what JSON cannot say as JSON does", () => {
    const odd = {
      left: undefined,
      nan: Number.NaN,
      infinite: -Infinity,
      list: [undefined, null],
      zero: -0,
      half: "\ud800"
    }
    assert.strictEqual(WireJson.stringify(odd), JSON.stringify(odd))
  })
})

describe("nesting", () => {
  const arrays = (depth: number, leaf: string) => "[".repeat(depth) + leaf + "]".repeat(depth)
  const objects = (depth: number, leaf: string) => '{"a":'.repeat(depth) + leaf + "}".repeat(depth)
  const depths = [1, 10, 100, 500, 1000, 1500, 2000, 2500, 3000, 5000, 8000, 20_000, 100_000, 1_000_000]
  const cases = depths.flatMap((depth) =>
    [arrays, objects].flatMap((nest) => ["0", "971503777289036701", "x"].map((leaf) => [nest, depth, leaf] as const))
  )

  it("gives a value, or throws; nothing worse", () => {
    for (const [nest, depth, leaf] of cases) {
      let outcome: unknown
      try {
        outcome = WireJson.parse(nest(depth, leaf))
      } catch (error) {
        outcome = error
      }
      if (leaf === "x") assert.ok(outcome instanceof Error)
      else if (depth <= 500) assert.ok(!(outcome instanceof Error), `depth ${depth}`)
      else if (depth >= 100_000) assert.ok(outcome instanceof RangeError)
      else assert.ok(outcome instanceof RangeError || typeof outcome === "object")
    }
  })

  it("is printed up to the same depth, and throws a RangeError beyond", () => {
    const text = objects(500, "971503777289036701")
    assert.strictEqual(WireJson.stringify(WireJson.parse(text)), text)
    assert.throws(() => WireJson.stringify(JSON.parse(arrays(100_000, "0"))), RangeError)
  })
})
