/** What an error keeps of the answer it tells of. */
import { RetryPolicy, ZimClient } from "@effect-zim/client"
import { QueryConversationList } from "@effect-zim/protocol"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as FakeService from "./fakeService.ts"

const large = "x".repeat(3_000_000)
const json = (answer: object) => (n: number) => JSON.stringify({ ...answer, Number: n })
const answers = {
  "a message": json({ Code: 1, Message: large, RequestId: "1" }),
  "a request id": json({ Code: 1, Message: "", RequestId: large }),
  "a code": json({ Code: large, Message: "", RequestId: "1" }),
  "a shape": json({ Code: 0, Message: "", RequestId: large, List: large }),
  "a page": (n: number) => `<p>${n}${large}`
}

const used = (): number => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc()")
  return process.memoryUsage().heapUsed
}

it.effect.each(Object.entries(answers))(
  "an error keeps nothing of a large answer but what it shows: %s",
  ([, answer]) =>
    Effect.gen(function* () {
      let count = 0
      const service = FakeService.make(() =>
        // Each a text of its own.
        Effect.sync(() => FakeService.text(answer(count++)))
      )
      const call = ZimClient.execute(QueryConversationList.operation, { userId: "u" }).pipe(
        RetryPolicy.provide(RetryPolicy.none),
        Effect.exit
      )
      const client = FakeService.clientOf(service.layer)
      const before = used()
      const kept: Array<unknown> = []
      for (let i = 0; i < 10; i++) kept.push(yield* Effect.provide(call, client))
      assert.isBelow(used() - before, 10_000_000)
      assert.strictEqual(kept.length, 10)
    })
)
