import { Conversation, WireJson } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as HashSet from "effect/HashSet"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import { problemOf } from "./problemOf.ts"

const isWire = Schema.is(Conversation.Wire)
const read = (text: string): Conversation.Conversation => {
  const raw = WireJson.parse(text)
  if (!isWire(raw)) throw new Error(`not a conversation: ${text}`)
  return new Conversation.Conversation(raw)
}
const base = { ConvId: "conv1", UpdateTime: 1708254395000 }
const withType = (ConvType: unknown) => read(JSON.stringify({ ...base, ConvType }))

/** The farthest instants of an ECMAScript date, in milliseconds. */
const lastMillis = 8_640_000_000_000_000

describe("type", () => {
  it.each([
    [undefined, "OneToOne", 0],
    [null, "OneToOne", 0],
    [0, "OneToOne", 0],
    [2, "Group", 2],
    [1, "Unknown", 1],
    [3, "Unknown", 3],
    [-1, "Unknown", -1]
  ])("of ConvType %s is %s, its code %d", (code, type, typeCode) => {
    assert.strictEqual(withType(code).type, type)
    assert.strictEqual(withType(code).typeCode, typeCode)
  })

  it.prop("keeps the code of any type", { code: Schema.Int }, ({ code }) => {
    assert.equal(withType(code).typeCode, code)
    assert.strictEqual(withType(code).type, code === 0 ? "OneToOne" : code === 2 ? "Group" : "Unknown")
  })
})

describe("raw", () => {
  it("keeps what this version does not know, exactly", () => {
    const text = '{"ConvId":"c","ConvType":9,"UpdateTime":1,"Seq":971503777289036701,"Ext":{"a":[null]}}'
    assert.strictEqual(WireJson.stringify(read(text).raw), text)
    assert.strictEqual(WireJson.stringify(read(JSON.stringify(base)).raw), JSON.stringify(base))
  })

  it.prop("is what the constructor got", { raw: Conversation.Wire }, ({ raw }) => {
    const conversation = new Conversation.Conversation(raw)
    assert.strictEqual(conversation.raw, raw)
    assert.strictEqual(conversation.id, raw.ConvId)
    assert.strictEqual(conversation.updatedAtMillis, raw.UpdateTime)
  })
})

describe("updatedAt", () => {
  it("is the documented example", () => {
    assert.strictEqual(DateTime.formatIso(read(JSON.stringify(base)).updatedAt), "2024-02-18T11:06:35.000Z")
  })

  it.prop("is the instant of UpdateTime, the same at every reading", { raw: Conversation.Wire }, ({ raw }) => {
    const conversation = new Conversation.Conversation(raw)
    assert.equal(DateTime.toEpochMillis(conversation.updatedAt), raw.UpdateTime)
    assert.strictEqual(conversation.updatedAt, conversation.updatedAt)
  })

  it.each([
    [lastMillis, "+275760-09-13T00:00:00.000Z"],
    [-lastMillis, "-271821-04-20T00:00:00.000Z"],
    [0, "1970-01-01T00:00:00.000Z"]
  ])("reaches %d", (UpdateTime, iso) => {
    const conversation = read(JSON.stringify({ ...base, UpdateTime }))
    assert.strictEqual(DateTime.formatIso(conversation.updatedAt), iso)
    assert.include(JSON.stringify(conversation), iso)
  })
})

describe("decoding", () => {
  it.each([
    ["UpdateTime past the range", { UpdateTime: lastMillis + 1 }],
    ["UpdateTime before the range", { UpdateTime: -lastMillis - 1 }],
    ["UpdateTime beyond any number", { UpdateTime: 971503777289036701n }],
    ["UpdateTime with a fraction", { UpdateTime: 1708254395000.5 }],
    ["UpdateTime NaN", { UpdateTime: Number.NaN }],
    ["UpdateTime a string", { UpdateTime: "1708254395000" }],
    ["UpdateTime null", { UpdateTime: null }],
    ["UpdateTime undefined", { UpdateTime: undefined }],
    ["ConvId a number", { ConvId: 1 }],
    ["ConvId null", { ConvId: null }],
    ["ConvType a string", { ConvType: "2" }],
    ["ConvType a fraction", { ConvType: 0.5 }],
    ["ConvType a boolean", { ConvType: false }]
  ])("rejects %s, and says which field it is", (name, fields) => {
    const input = { ...base, ...fields }
    assert.include(problemOf(Conversation.Wire, input), `["${name.split(" ")[0]}"]`)
    assert.isFalse(isWire(input))
  })

  it("rejects an entry without id or time", () => {
    assert.strictEqual(problemOf(Conversation.Wire, { UpdateTime: 1 }), 'Missing key\n  at ["ConvId"]')
    assert.strictEqual(problemOf(Conversation.Wire, { ConvId: "c" }), 'Missing key\n  at ["UpdateTime"]')
  })

  it("accepts an id of any characters: a peer may be older than the rule", () => {
    assert.strictEqual(read(JSON.stringify({ ...base, ConvId: "" })).id, "")
    assert.strictEqual(read(JSON.stringify({ ...base, ConvId: "用户😀'" })).id, "用户😀'")
  })
})

describe("equality", () => {
  it.prop("is equality of the raw entries, whatever has been read", { raw: Conversation.Wire }, ({ raw }) => {
    const [one, other] = [new Conversation.Conversation(raw), new Conversation.Conversation({ ...raw })]
    void one.updatedAt
    assert.isTrue(Equal.equals(one, other))
    assert.strictEqual(Hash.hash(one), Hash.hash(other))
    assert.strictEqual(HashSet.size(HashSet.make(one, other)), 1)
  })

  it("sees a difference in any field, known or not", () => {
    const conversation = read('{"ConvId":"c","UpdateTime":1,"Seq":1}')
    for (const text of [
      '{"ConvId":"d","UpdateTime":1,"Seq":1}',
      '{"ConvId":"c","UpdateTime":2,"Seq":1}',
      '{"ConvId":"c","UpdateTime":1,"Seq":2}',
      '{"ConvId":"c","UpdateTime":1,"Seq":1,"ConvType":2}',
      '{"ConvId":"c","UpdateTime":1}'
    ]) {
      assert.isFalse(Equal.equals(conversation, read(text)), text)
    }
    assert.isFalse(Equal.equals(conversation, conversation.raw))
  })
})

describe("printing", () => {
  const group = read('{"ConvId":"g","ConvType":2,"UpdateTime":1708254395000,"Seq":971503777289036701}')
  const plain = { id: "g", type: "Group", typeCode: 2, updatedAt: "2024-02-18T11:06:35.000Z" }

  it("gives JSON, text and console the same four facts", () => {
    assert.strictEqual(JSON.stringify(group), JSON.stringify(plain))
    assert.strictEqual(String(group), JSON.stringify(plain))
    assert.strictEqual(inspect(group), inspect(plain))
    assert.strictEqual(inspect({ page: [group] }, { depth: 5 }), inspect({ page: [plain] }, { depth: 5 }))
  })
})

describe("key", () => {
  it("tells apart by type and id, not by time", () => {
    const key = (text: string) => Conversation.key(read(text))
    assert.strictEqual(key('{"ConvId":"c","UpdateTime":1}'), key('{"ConvId":"c","ConvType":0,"UpdateTime":2}'))
    assert.notStrictEqual(key('{"ConvId":"c","UpdateTime":1}'), key('{"ConvId":"c","ConvType":2,"UpdateTime":1}'))
    assert.notStrictEqual(
      key('{"ConvId":"c","ConvType":1,"UpdateTime":1}'),
      key('{"ConvId":"c","ConvType":3,"UpdateTime":1}')
    )
  })

  it.prop("is the same only for the same type and id", { a: Conversation.Wire, b: Conversation.Wire }, ({ a, b }) => {
    const [one, other] = [new Conversation.Conversation(a), new Conversation.Conversation(b)]
    assert.strictEqual(
      Conversation.key(one) === Conversation.key(other),
      one.id === other.id && one.typeCode === other.typeCode
    )
  })
})
