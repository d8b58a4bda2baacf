/**
 * Client and emulator against a model: a list is a set of entries with times. Commands change the world, break the service,
 * move the clock, read on, stop in the middle, and start again; the model says what may have come out.
 */
import { Conversations, RetryPolicy, Timeout } from "@effect-zim/client"
import { Emulator, Journal, World } from "@effect-zim/emulator"
import { Conversation, Cursor, UserId } from "@effect-zim/protocol"
import { Arbitraries, FaultSchedule, ZimTest } from "@effect-zim/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const userIds = ["u1", "u2"] as const
const user = Schema.Literals(["u1", "u1", "u1", "u2"])
const id = between(1, 12)
const type = Schema.Literals([2, 0, 2, 3])

const ReadOn = Schema.TaggedStruct("ReadOn", { user, pages: between(1, 3), pageSize: between(1, 4) })

const Command = Schema.Union([
  Schema.TaggedStruct("Message", { user, id, type }),
  Schema.TaggedStruct("Disband", { id, type }),
  Schema.TaggedStruct("Register", { user }),
  Schema.TaggedStruct("Break", {
    user,
    trouble: Schema.Literals(FaultSchedule.passing.filter((trouble) => trouble !== "page of 1")),
    times: between(1, 6)
  }),
  Schema.TaggedStruct("Wait", { millis: Schema.Literals([1, 500, 1000, 60_000, 86_400_000]) }),
  ReadOn,
  ReadOn,
  ReadOn,
  ReadOn,
  Schema.TaggedStruct("InterruptedRead", { user, after: Schema.Literals([0, 1, 100, 5000]) }),
  Schema.TaggedStruct("ReadAll", { user })
])
type Command = typeof Command.Type

/** A list that is being read, with breaks. */
interface Reading {
  readonly from: Cursor.Cursor
  readonly came: ReadonlyArray<Conversation.Conversation>
  /** What was in the list when it began, and has not changed since. */
  readonly steady: ReadonlySet<string>
  /** How often each of the others may come: once for each state that it was in. */
  readonly changes: ReadonlyMap<string, number>
}

const endless = RetryPolicy.backoff({ base: "500 millis", cap: "30 seconds" })
const patience: RetryPolicy.RetryPolicy = {
  ...RetryPolicy.patient,
  rateLimit: endless,
  transient: endless,
  bounded: endless,
  transport: endless
}

const patient = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  self.pipe(RetryPolicy.provide(patience), Effect.provideService(Timeout.Deadline, Duration.hours(8)))

const keyOf = (type: number, id: number | string) => `${type}:${id}`

const makeModel = (first: World.World) => {
  const lists = new Map<string, Map<string, number>>()
  const readings = new Map<string, Reading>()
  for (const { conversations, userId } of first.users) {
    lists.set(userId, new Map(conversations.map((wire) => [keyOf(wire.ConvType ?? 0, wire.ConvId), wire.UpdateTime])))
  }
  const change = (userId: string, key: string): void => {
    const reading = readings.get(userId)
    if (reading === undefined) return
    const steady = new Set(reading.steady)
    const was = steady.delete(key) ? 1 : (reading.changes.get(key) ?? 0)
    readings.set(userId, { ...reading, steady, changes: new Map([...reading.changes, [key, was + 1]]) })
  }
  return {
    lists,
    readings,
    put: (userId: string, key: string, time: number): void => {
      change(userId, key)
      lists.get(userId)?.set(key, time)
    },
    remove: (key: string): void => {
      for (const [userId, list] of lists) {
        if (list.delete(key)) change(userId, key)
      }
    },
    begin: (userId: string, from: Cursor.Cursor): Reading => ({
      from,
      came: [],
      steady: new Set(lists.get(userId)?.keys()),
      changes: new Map()
    })
  }
}

type Model = ReturnType<typeof makeModel>

/** Every steady entry once, the others as often as they changed, nothing else, and never back in time. */
const assertRead = ({ came, changes, steady }: Reading, order: "AcrossPages" | "WithinPages" | undefined) => {
  const counts = new Map<string, number>()
  for (const conversation of came) {
    const key = Conversation.key(conversation)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  for (const key of steady) assert.strictEqual(counts.get(key), 1, `${key} did not change and came otherwise than once`)
  for (const [key, count] of counts) {
    if (!steady.has(key)) assert.isAtMost(count, changes.get(key) ?? 0, `${key} came too often`)
  }
  if (order === "WithinPages") return
  const times = came.map(({ updatedAtMillis }) => updatedAtMillis)
  assert.deepStrictEqual(
    times,
    times.toSorted((a, b) => a - b)
  )
}

/** How often lists were read to the end with a break, and while they changed. */
const happened = { resumed: 0, changed: 0 }

/** The first pages of what is left to read. */
const readOn = (userId: string, from: Cursor.Cursor, pages: number, pageSize: number) =>
  Conversations.pages(userId, { from, pageSize }).pipe(Stream.take(pages), Stream.runCollect, patient)

const step = Effect.fnUntraced(function* (
  model: Model,
  command: Command,
  order: "AcrossPages" | "WithinPages" | undefined
) {
  const { faults, world } = yield* Emulator.Emulator
  switch (command._tag) {
    case "Message": {
      // A millisecond later, so that a message is newer than all before it.
      yield* TestClock.adjust(1)
      const time = Math.floor(yield* Clock.currentTimeMillis)
      if (!model.lists.has(command.user)) return
      yield* world.update(
        World.putConversation(command.user, {
          ConvId: String(command.id),
          ConvType: command.type,
          UpdateTime: time
        })
      )
      return model.put(command.user, keyOf(command.type, command.id), time)
    }
    case "Disband": {
      yield* world.update(World.removeConversation({ ConvId: String(command.id), ConvType: command.type }))
      return model.remove(keyOf(command.type, command.id))
    }
    case "Register": {
      yield* world.update(World.register(UserId.make(command.user)))
      if (!model.lists.has(command.user)) model.lists.set(command.user, new Map())
      return
    }
    case "Break":
      return yield* faults.set(FaultSchedule.make([{ userId: command.user, call: 1, ...command }]).faults)
    case "Wait":
      return yield* TestClock.adjust(command.millis)
    case "InterruptedRead": {
      const fiber = yield* Effect.forkChild(readOn(command.user, Cursor.start, 1000, 1), { startImmediately: true })
      yield* TestClock.adjust(command.after)
      return yield* Fiber.interrupt(fiber)
    }
    case "ReadOn": {
      const reading = model.readings.get(command.user) ?? model.begin(command.user, Cursor.start)
      const result = yield* Effect.result(readOn(command.user, reading.from, command.pages, command.pageSize))
      if (!model.lists.has(command.user)) {
        assert.isTrue(Result.isFailure(result) && result.failure._tag === "UserNotRegistered")
        return
      }
      if (Result.isFailure(result)) return assert.fail(result.failure.message)
      const pages = result.success
      const read = { ...reading, came: [...reading.came, ...pages.flatMap((page) => page.conversations)] }
      const next = pages.at(-1)?.next ?? Option.none()
      if (Option.isSome(next)) return model.readings.set(command.user, { ...read, from: next.value })
      model.readings.delete(command.user)
      if (reading.from !== Cursor.start) happened.resumed++
      if (reading.changes.size > 0) happened.changed++
      return assertRead(read, order)
    }
    case "ReadAll": {
      const result = yield* Effect.result(patient(Conversations.snapshot(command.user, { pageSize: 4 })))
      const list = model.lists.get(command.user)
      if (list === undefined) {
        assert.isTrue(Result.isFailure(result) && result.failure._tag === "UserNotRegistered")
        return
      }
      if (Result.isFailure(result)) return assert.fail(result.failure.message)
      const { conversations, verdict } = result.success
      assert.strictEqual(verdict, "Complete")
      assert.deepStrictEqual(
        new Map(conversations.map((conversation) => [Conversation.key(conversation), conversation.updatedAtMillis])),
        list
      )
      assert.strictEqual(conversations.length, list.size)
    }
  }
})

describe("client and emulator", () => {
  it.effect.prop(
    "do what the model says, whatever happens in whatever order",
    {
      commands: Arbitrary.array(Arbitrary.schema(Command), { maxLength: 40 }),
      world: Arbitraries.world({ users: 2, conversations: 14 }),
      reading: Arbitraries.reading
    },
    ({ commands, reading, world }) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(ZimTest.start)
        // Users are called u1 and u2, whatever else was drawn.
        const users = world.users.map(({ conversations }, i) => ({
          userId: UserId.make(userIds[i] ?? "u3"),
          conversations
        }))
        const first: World.World = { apps: world.apps, users }
        const model = makeModel(first)
        yield* Effect.gen(function* () {
          for (const command of commands) yield* step(model, command, reading.order)
          const { journal } = yield* Emulator.Emulator
          const entries = yield* journal.entries
          assert.strictEqual(Journal.nonceReuses(entries), 0)
          assert.isAtMost(Journal.peak(entries, "1 second"), 20)
          for (const entry of entries) {
            assert.isTrue(!Journal.isRateLimited(entry) || entry.faults.length > 0, "over the quota")
          }
        }).pipe(ZimTest.inVirtualTime({ limit: "1000 days" }), Effect.provide(ZimTest.layer(first, [], { reading })))
      }).pipe(Random.withSeed("model")),
    { arbitrary: { seed: 1, runs: 300, size: 40, maxShrinks: 1000 } }
  )

  it("were tried with breaks, and with changes between them", () => {
    assert.isAbove(happened.resumed, 100)
    assert.isAbove(happened.changed, 30)
  })
})
