import { UserId } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { problemOf } from "./problemOf.ts"

// Written out from the documentation, not taken from the implementation.
const legal = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()+-:;<=.>?@[]^_ {}|~"
const latin1 = Array.from({ length: 0x100 }, (_, codePoint) => String.fromCodePoint(codePoint))
const beyond = ["Ā", "π", "Ａ", "٣", "用", "\u2028", "\u200b", "\ufeff", "\ufffd", "\u{1f600}", "\u{10ffff}", "\ud83d"]
const illegal = [...latin1.filter((character) => !legal.includes(character)), ...beyond]

const problem = (id: unknown) => {
  const found = problemOf(UserId.UserId, id)
  assert.strictEqual(UserId.is(id), found === undefined)
  return found
}
const codePointOf = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`

const legalText = (maximum: number) => Schema.Array(Schema.Literals(legal.split(""))).check(Schema.isMaxLength(maximum))

describe("UserId", () => {
  it("has an alphabet of 88 characters: space and hyphen belong to it, the apostrophe does not", () => {
    assert.strictEqual(new Set(legal).size, 88)
    assert.strictEqual(problem("-"), undefined)
    assert.strictEqual(problem(" "), undefined)
    assert.include(problem("'"), '"\'" (U+0027), found at position 1')
  })

  it.each(Array.from(legal, (character) => [character]))("accepts %j", (character) => {
    assert.strictEqual(problem(character), undefined)
    assert.strictEqual(problem(`a${character}b`), undefined)
    assert.strictEqual(UserId.make(character), character)
  })

  it.each(illegal.map((character) => [codePointOf(character), character] as const))(
    "rejects %s wherever it stands",
    (codePoint, character) => {
      for (const [id, position] of [[character, 1] as const, [`user${character}`, 5] as const]) {
        const message = problem(id)
        assert.include(message, codePoint)
        assert.include(message, `found at position ${position};`)
      }
    }
  )

  it("shows a printable character, and only the number of one that could spoil the line", () => {
    assert.include(problem("é"), '"é" (U+00E9)')
    assert.include(problem("\u{1f600}"), '"\u{1f600}" (U+1F600)')
    for (const character of ["\n", "\u001b", "\u00a0", "\u2028", "\ud83d"]) {
      assert.notInclude(problem(character), character)
      assert.include(problem(character), `contain ${codePointOf(character)}, found`)
    }
  })

  it.prop(
    "names the first illegal character and its position, counted from 1, whatever follows",
    { prefix: legalText(40), character: Schema.Literals(illegal), suffix: Schema.String },
    ({ character, prefix, suffix }) => {
      // A lone high surrogate before a low one is another character: not the case here.
      const rest = character === "\ud83d" ? "" : suffix
      const message = problem(prefix.join("") + character + rest)
      assert.include(message, codePointOf(character))
      assert.include(message, `found at position ${prefix.length + 1};`)
    }
  )

  it.prop("accepts up to 32 legal characters, and no more", { characters: legalText(70) }, ({ characters }) => {
    const id = characters.join("")
    const expected =
      id.length === 0
        ? "a user id has at least one character"
        : id.length > 32
          ? `a user id has at most 32 characters, this one has ${id.length}`
          : undefined
    assert.strictEqual(problem(id), expected)
  })

  it("is 1 to 32 characters long", () => {
    assert.strictEqual(problem(""), "a user id has at least one character")
    assert.strictEqual(problem("x".repeat(32)), undefined)
    assert.strictEqual(problem("x".repeat(33)), "a user id has at most 32 characters, this one has 33")
  })

  it.each([[undefined], [null], [42], [["user"]], [{}]])("rejects %j, which is no string", (input) => {
    assert.strictEqual(problem(input), "Expected string")
  })

  it("make throws with the same words", () => {
    assert.throws(() => UserId.make("it's"), /cannot contain "'" \(U\+0027\), found at position 3/)
    assert.throws(() => UserId.make("x".repeat(33)), /at most 32 characters, this one has 33/)
  })
})
