/** Every sentence of docs/contract.md that can be seen from outside, against an emulator: see `conformance/`. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Contract from "../conformance/Contract.ts"
import { cases, run } from "../conformance/suite.ts"
import { layerEmulator } from "../conformance/Target.ts"

const claims = Contract.read()
const plain = (text: string) => text.replaceAll(/\s+/g, " ")

describe("the contract", () => {
  it("says for every claim which tests show it, or that none can", () => {
    assert.deepStrictEqual(
      claims.filter(({ ids }) => ids === undefined),
      []
    )
    assert.isAbove(claims.length, 90)
  })

  it("names every test of the suite, and no other", () => {
    const named = claims.flatMap(({ ids }) => ids ?? [])
    const ids = cases.map(({ id }) => id)
    assert.strictEqual(new Set(ids).size, ids.length)
    assert.deepStrictEqual([...new Set(named)].toSorted(), ids.toSorted())
  })

  it.each(cases)("has the sentence of $id, word for word, where it names the test", ({ id, sentence }) => {
    const texts = claims.filter(({ ids }) => ids?.includes(id)).map(({ text }) => plain(text))
    assert.isTrue(
      texts.some((text) => text.includes(plain(sentence))),
      texts.join("\n")
    )
  })

  it("notices a claim that says nothing about tests", () => {
    const unmarked = Contract.read("## 1. A\n\nOne thing. (D) Another. (D: `a`, `b`) Last. (I: –)\n")
    assert.deepStrictEqual(
      unmarked.map(({ ids }) => ids),
      [undefined, ["a", "b"], []]
    )
    const table = "## 1. A\n\n| Rule | Mark | Test |\n| --- | --- | --- |\n| x | D | |\n| y | D | `a` |\n"
    assert.deepStrictEqual(
      Contract.read(table).map(({ ids }) => ids),
      [undefined, ["a"]]
    )
  })
})

const sectionOf = (id: string) => claims.find(({ ids }) => ids?.includes(id))?.section

layer(layerEmulator, { excludeTestServices: true })("the emulator conforms", (it) => {
  for (const item of cases) {
    it.effect(`${item.id}: section ${sectionOf(item.id)}, ${item.sentence}`, () =>
      Effect.gen(function* () {
        // The emulator shows all of it: there is no open point, and nothing that cannot be tested.
        assert.strictEqual(yield* run(item), undefined)
      })
    )
  }
})
