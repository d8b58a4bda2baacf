/** Whatever is read can leave the process: through JSON, a structured clone and Effect's binary format, and back. */
import { ClientError, Conversations } from "@effect-zim/client"
import { Conversation, Cursor, QueryConversationList } from "@effect-zim/protocol"
import { Arbitraries } from "@effect-zim/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as SchemaBinary from "effect/encoding/SchemaBinary"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const conversations = Arbitrary.map(Arbitraries.conversations, (wires) =>
  wires.map((wire) => new Conversation.Conversation(wire))
)

const page: Arbitrary.Arbitrary<QueryConversationList.Page> = Arbitrary.all({
  conversations,
  next: Arbitrary.map(Arbitrary.all([Arbitrary.schema(Schema.Boolean), Arbitraries.cursor]), ([isLast, cursor]) =>
    isLast ? Option.none() : Option.some(cursor)
  ),
  requestId: Arbitrary.schema(Schema.UndefinedOr(Schema.String)),
  totalCount: Arbitrary.schema(Schema.Option(Schema.Int))
})

const snapshot: Arbitrary.Arbitrary<Conversations.Snapshot> = Arbitrary.all({
  userId: Arbitraries.userId,
  conversations,
  verdict: Arbitrary.schema(Conversations.Verdict)
})

/** Half a character crosses in JSON only: the binary format is UTF-8. And no format knows a cause that is undefined. */
const isWhole = (error: ClientError.AnyError) =>
  !("cause" in error && error.cause === undefined) &&
  !/\\ud[89a-f]/.test(JSON.stringify(Schema.encodeSync(anyError)(error)))
const anyError = Schema.toCodecJson(ClientError.AnyError)

const listError = Arbitrary.filter(Arbitrary.schema(Conversations.ListError), isWhole)

const result = Arbitrary.all({
  user: Arbitrary.schema(Schema.Struct({ row: Schema.Int })),
  userId: Arbitraries.userId,
  result: Arbitrary.map(
    Arbitrary.all([Arbitrary.schema(Schema.Boolean), snapshot, listError]),
    ([isRead, list, error]) => (isRead ? Result.succeed(list) : Result.fail(error))
  )
})

/** Every way a value leaves a process, and comes back. */
const ways = <A, I>(schema: Schema.Codec<A, I>) => {
  const json = Schema.toCodecJson(schema)
  const text = Schema.fromJsonString(json)
  const binary = SchemaBinary.toCodec(schema)
  return [
    (value: A) => Schema.decodeSync(text)(Schema.encodeSync(text)(value)),
    (value: A) => Schema.decodeUnknownSync(json)(structuredClone(Schema.encodeSync(json)(value))),
    (value: A) => Schema.decodeSync(binary)(Schema.encodeSync(binary)(value))
  ]
}

const comesBack = <A, I>(schema: Schema.Codec<A, I>) => {
  const all = ways(schema)
  return ({ value }: { readonly value: A }) => {
    for (const way of all) {
      const back = way(value)
      assert.isTrue(Equal.equals(back, value), `${Schema.toFormatter(schema)(back)} is not what it was`)
    }
  }
}

const options = { arbitrary: { seed: 14, runs: 40 } }

describe("comes back equal", () => {
  it.prop("a cursor", { value: Arbitraries.cursor }, comesBack(Cursor.Cursor), options)
  it.prop("a page", { value: page }, comesBack(QueryConversationList.Page), options)
  it.prop("a snapshot", { value: snapshot }, comesBack(Conversations.Snapshot), options)
  it.prop(
    "what became of a user",
    { value: result },
    comesBack(Conversations.UserResult(Schema.Struct({ row: Schema.Int }))),
    options
  )
  it.prop(
    "any error",
    { value: Arbitrary.filter(Arbitrary.schema(ClientError.AnyError), isWhole) },
    comesBack(ClientError.AnyError),
    options
  )
})
