import { ClientError, Conversations, UntypedOperation, ZimClient } from "@effect-zim/client"
import { Conversation, Cursor, QueryConversationList, ServiceError } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

const conversation = (id: string, time: number) => new Conversation.Conversation({ ConvId: id, UpdateTime: time })
const call = { action: "QueryConversationList", attempts: 1, elapsed: Duration.zero }

/** Two pages of everybody but the stranger. */
const client = ZimClient.layerTest({
  QueryConversationList: ({ cursor, userId }) =>
    userId === "stranger"
      ? Effect.fail(
          new ServiceError.UserNotRegistered({
            ...call,
            code: 660500002,
            requestId: "1",
            vendorMessage: "no",
            userId
          })
        )
      : Effect.succeed({
          conversations: [cursor === Cursor.start ? conversation("a", 1) : conversation("b", 2)],
          next: cursor === Cursor.start ? Option.some(Cursor.make("7")) : Option.none(),
          requestId: cursor,
          totalCount: Option.some(2)
        }),
  QueryUserInfos: (body) =>
    Effect.succeed({ code: 0, message: "", requestId: undefined, body, text: JSON.stringify(body) })
})

const problemOf = <A, E>(exit: Exit.Exit<A, E>): string =>
  Exit.isFailure(exit) && Cause.hasDies(exit.cause) ? String(Cause.squash(exit.cause)) : assert.fail("it did not die")

describe("layerTest", () => {
  it.effect("answers pages, lists, details and operations by their names", () =>
    Effect.gen(function* () {
      const { conversations, verdict } = yield* Conversations.snapshot("user-1")
      assert.deepStrictEqual([conversations.map(({ id }) => id), verdict], [["a", "b"], "Complete"])
      const detailed = yield* ZimClient.executeDetailed(QueryConversationList.operation, { userId: "user-1" })
      assert.strictEqual(detailed.value.requestId, "0")
      assert.strictEqual(detailed.attempts, 1)
      const users = yield* ZimClient.call("QueryUserInfos", { UserId: ["a"] })
      assert.strictEqual(users.text, '{"UserId":["a"]}')
    }).pipe(Effect.provide(client))
  )

  it.effect("fails with the errors of the operation, and checks requests", () =>
    Effect.gen(function* () {
      assert.instanceOf(yield* Effect.flip(Conversations.snapshot("stranger")), ServiceError.UserNotRegistered)
      assert.instanceOf(yield* Effect.flip(Conversations.snapshot("")), ClientError.RequestInvalid)
    }).pipe(Effect.provide(client))
  )

  it.effect("dies of what is no answer of the operation, and says so", () =>
    Effect.gen(function* () {
      const untyped = ZimClient.execute(UntypedOperation.make("Other"), {})
      const dying = (handlers: ZimClient.TestHandlers) =>
        Effect.map(Effect.exit(Effect.provide(untyped, ZimClient.layerTest(handlers))), problemOf)
      assert.include(yield* dying({}), "layerTest, Other: there is no handler for it")
      assert.include(yield* dying({ Other: () => Effect.succeed(1) }), "the value is none of the operation")
      assert.include(yield* dying({ Other: () => Effect.fail("oops") }), "the error is none of the operation: oops")
    })
  )
})
