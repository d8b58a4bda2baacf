/** What Redis says when it refuses reaches whoever called: as a message, a field, and in JSON; and what to do about it. */
import { ClientError, RetryPolicy } from "@effect-zim/client"
import * as RedisQuota from "@effect-zim/client/RedisQuota"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { createClient } from "redis"
import * as FakeService from "./fakeService.ts"
import { read } from "./policy/support.ts"
import * as RedisServer from "./redisServer.ts"

const toJson = Schema.encodeSync(Schema.fromJsonString(Schema.toCodecJson(ClientError.AnyError)))

/** The error of a call, with nothing sent, and how often the store was asked. */
const errorWith = (create: () => RedisQuota.Client, options?: RedisQuota.Options, policy = RetryPolicy.none) =>
  Effect.gen(function* () {
    const service = FakeService.answering(FakeService.page([]))
    const client = FakeService.clientOf(service.layer).pipe(Layer.provide(RedisQuota.layerClient(create, options)))
    const error = yield* read.pipe(Effect.flip, RetryPolicy.provide(policy), Effect.provide(client))
    assert.strictEqual(service.sent.length, 0)
    assert.instanceOf(error, ClientError.QuotaUnavailable)
    assert.include(error.message, error.problem)
    assert.include(toJson(error), JSON.stringify(error.problem).slice(1, -1))
    return error
  })

/** A connection to a Redis that answers each command with an error. */
const refusing = (text: string, asked: Array<string> = []): RedisQuota.Client => ({
  isReady: true,
  connect: () => Promise.resolve(),
  sendCommand: ([name = ""]) => {
    asked.push(name)
    return Promise.reject(new Error(text))
  },
  destroy: () => undefined,
  on: () => undefined
})

const answers = [
  ["READONLY You can't write against a read only replica.", "Refused"],
  ["OOM command not allowed when used memory > 'maxmemory'.", "Refused"],
  ["NOREPLICAS Not enough good replicas to write.", "Refused"],
  ["LOADING Redis is loading the dataset in memory", "Refused"],
  ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "Refused"],
  ["CLUSTERDOWN The cluster is down", "Refused"],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "Refused"],
  ["WRONGTYPE Operation against a key holding the wrong kind of value", "Denied"],
  ["NOAUTH Authentication required.", "Denied"],
  ["WRONGPASS invalid username-password pair or user is disabled.", "Denied"],
  ["NOPERM this user has no permissions to run the 'evalsha' command", "Denied"],
  ["MOVED 3999 127.0.0.1:6381", "Denied"],
  ["ERR Error running script (call to f_1): @user_script:12: attempt to index a nil value", "Denied"],
  ["connect ECONNREFUSED 127.0.0.1:6379", "NoAnswer"],
  ["Socket closed unexpectedly", "NoAnswer"]
] as const

describe("an error of Redis", () => {
  it.effect.each(answers)("%s: %s", ([text, reason]) =>
    Effect.gen(function* () {
      const error = yield* errorWith(() => refusing(text))
      assert.deepStrictEqual([error.problem, error.reason._tag], [text, reason])
      assert.match(error.message, reason === "NoAnswer" ? /quota does not answer: / : /quota refuses: /)
      // A share is for what concerns everybody.
      assert.strictEqual(ClientError.advice(error).includes("a share of its own"), reason !== "Denied")
    })
  )

  it.effect("that denies this process is not tried again, and gives it no share", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const options = { whenUnavailable: { share: 0.5 } }
      const calling = errorWith(() => refusing("NOAUTH Authentication required.", asked), options, RetryPolicy.standard)
      const error = yield* FakeService.inTime(calling)
      assert.strictEqual(error.attempts, 0)
      assert.strictEqual(error.reason._tag, "Denied")
    })
  )

  it.effect("shows no credentials, and is short and on one line", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 second")
      const text = `no way to redis://user:pa:ss@host:1/\n\u001b[31m${"x".repeat(10_000)}`
      const error = yield* errorWith(() => refusing(text))
      assert.notInclude(error.message, "pa:ss")
      assert.notMatch(error.problem, /\p{Cc}/u)
      assert.isAtMost(error.problem.length, 201)
    })
  )
})

describe("the end of a quota", () => {
  it.effect("destroys a client that cannot be destroyed once it is closed, as those of `redis` 5", () =>
    Effect.gen(function* () {
      let isOpen = true
      let isDestroyed = false
      const create = () => ({
        ...refusing("OOM"),
        close: () => {
          isOpen = false
          return new Promise(() => undefined)
        },
        destroy: () => {
          if (!isOpen) throw new Error("The client is closed")
          isDestroyed = true
        }
      })
      yield* FakeService.inTime(errorWith(create))
      assert.isTrue(isDestroyed)
    })
  )
})

describe("a Redis that refuses", () => {
  const key = "quota:{12345}:leases"
  const ways: ReadonlyArray<readonly [start: RegExp, command: ReadonlyArray<string>]> = [
    [/^READONLY /, ["REPLICAOF", "127.0.0.1", "1"]],
    [/^OOM /, ["CONFIG", "SET", "maxmemory", "1"]],
    [/^NOREPLICAS /, ["CONFIG", "SET", "min-replicas-to-write", "3"]],
    [/^WRONGTYPE /, ["SET", key, "somebody's"]],
    [/^NOAUTH /, ["CONFIG", "SET", "requirepass", "hidden"]],
    [/^NOPERM /, ["ACL", "SETUSER", "default", "-evalsha", "-script"]]
  ]
  it.live.each(ways)("%s", ([start, command]) =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* Effect.promise(async () => {
        const admin = createClient({ url: server.url })
        await admin.connect()
        await admin.sendCommand([...command])
        await admin.close()
      })
      const error = yield* errorWith(() => createClient({ url: server.url }), { timeout: "20 seconds" })
      assert.match(error.problem, start)
    }).pipe(Effect.provide(Logger.layer([])))
  )
})
