/** Every sentence of docs/contract.md that can be seen from outside, against an emulator: see `conformance/`. */
import type { HttpExchange } from "@effect-zim/emulator"
import { Fault, ServiceClock } from "@effect-zim/emulator"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Exit, Option } from "effect"
import * as Contract from "../conformance/Contract.ts"
import { cases, run } from "../conformance/suite.ts"
import { layerEmulator, Target } from "../conformance/Target.ts"

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

const code = (to: number) => Fault.rewrite(`code ${to}`, (reply) => replaced(reply, /"Code":0/, `"Code":${to}`))
const replaced = (reply: HttpExchange.Reply, pattern: RegExp, by: string): HttpExchange.Reply => ({
  ...reply,
  body: typeof reply.body === "string" ? reply.body.replace(pattern, by) : reply.body
})

/** Servers that do otherwise, and tests that must notice. */
const deviations: ReadonlyArray<readonly [string, Fault.Fault, ReadonlyArray<string>]> = [
  ["leaves entries out", Fault.missingEntries(1), ["next-zero", "three-calls", "latest-1000", "limit-changes"]],
  ["repeats entries", Fault.duplicateEntries(1), ["next-start", "three-calls"]],
  ["ends every list after a page", Fault.nextCursor(0n), ["one-page", "next-start", "three-calls"]],
  ["answers with a gateway's page", Fault.httpStatus(502), ["top-level", "code", "post-root", "signature"]],
  ["says 5 for 0", code(5), ["code", "post-root", "user-registered", "version", "timestamp", "quota-app"]],
  ["says nothing in words", Fault.rewrite("no words", (reply) => replaced(reply, /"success"/, '""')), ["message"]],
  [
    "has a request id that never changes",
    Fault.rewrite("one id", (reply) => replaced(reply, /"RequestId":"[0-9]+"/, '"RequestId":"1"')),
    ["request-id"]
  ],
  [
    "counts in seconds",
    Fault.rewrite("seconds", (reply) => replaced(reply, /("UpdateTime":[0-9]{10})[0-9]{3}/, "$1")),
    ["update-time"]
  ],
  [
    "has the newest first",
    Fault.rewrite("newest first", (reply) => replaced(reply, /("UpdateTime":)1/, "$12")),
    ["list-order"]
  ],
  [
    "says how long to wait",
    Fault.rewrite("wait", (reply) => ({ ...reply, headers: { ...reply.headers, "retry-after": "1" } })),
    ["quota-retry-after"]
  ],
  ["sends text", Fault.wrongContentType, ["content-type"]]
]

layer(layerEmulator, { excludeTestServices: true })("the suite notices a server that", (it) => {
  for (const [title, fault, ids] of deviations) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const emulator = Option.getOrThrow((yield* Target).emulator)
        for (const id of ids) {
          const item = cases.find((item) => item.id === id) ?? assert.fail(id)
          yield* emulator.faults.set([fault])
          assert.isTrue(Exit.isFailure(yield* Effect.exit(run(item))), id)
        }
      })
    )
  }

  it.effect("goes by another time", () =>
    Effect.gen(function* () {
      const emulator = Option.getOrThrow((yield* Target).emulator)
      for (const id of ["timestamp", "date"]) {
        const item = cases.find((item) => item.id === id) ?? assert.fail(id)
        yield* emulator.clock.set(ServiceClock.skewed("5 minutes"))
        assert.isTrue(Exit.isFailure(yield* Effect.exit(run(item))), id)
      }
    })
  )
})
