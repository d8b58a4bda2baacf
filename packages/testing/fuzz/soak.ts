/**
 * An hour of virtual time: every few seconds some users are read at once, through quota, latency and faults, while
 * messages come in. Every list that is read is the whole list; no call is over the quota or signed twice.
 */
import { Conversations } from "@effect-zim/client"
import { Emulator, Fault, Journal, World } from "@effect-zim/emulator"
import { Conversation } from "@effect-zim/protocol"
import { ZimTest } from "@effect-zim/testing"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Dice from "./dice.ts"
import { memory } from "./server.ts"

interface Options {
  readonly seed: number
  readonly hours: number
  readonly users: number
  readonly roundsPerHour: number
}

const faults = [
  Fault.latencyBetween("20 millis", "300 millis"),
  Fault.returnCode(660300005).pipe(Fault.when(Fault.probability(0.01))),
  Fault.returnCode(1).pipe(Fault.when(Fault.probability(0.01))),
  Fault.connectionReset.pipe(Fault.when(Fault.probability(0.005))),
  Fault.answerLost.pipe(Fault.when(Fault.probability(0.005))),
  Fault.truncatedBody.pipe(Fault.when(Fault.probability(0.005))),
  Fault.hang.pipe(Fault.when(Fault.probability(0.001)))
]

const usersAtOnce = 10

/** What was read in all, and how the memory went. */
export const run = (options: Options) => {
  const dice = Dice.make(options.seed)
  const world = World.generate({ seed: options.seed, users: options.users, now: ZimTest.start })
  const program = Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const begun = yield* Clock.currentTimeMillis
    const sizes: Array<number> = []
    const total = { calls: 0, lists: 0, failed: 0 }
    const rounds = options.hours * options.roundsPerHour
    const pause = Duration.hours(1 / options.roundsPerHour)

    const round = Effect.fnUntraced(function* (number: number) {
      const userIds = Array.from({ length: usersAtOnce }, () => `user-${1 + dice.below(options.users)}`)
      const results = yield* Stream.fromIterable(new Set(userIds)).pipe(Conversations.forUsers(), Stream.runCollect)
      const { users } = yield* emulator.world.get
      for (const { result, userId } of results) {
        if (Result.isFailure(result)) {
          total.failed++
          continue
        }
        total.lists++
        const list = users.find((user) => user.userId === userId)?.conversations ?? []
        const { conversations } = result.success
        const keys = new Set(conversations.map(Conversation.key))
        const expected = Math.min(list.length, 1000)
        if (keys.size !== expected || conversations.length !== expected) {
          return yield* Effect.die(new Error(`round ${number}: ${userId} has ${expected}, ${keys.size} came`))
        }
      }
      const time = Math.floor(yield* Clock.currentTimeMillis)
      const receiver = `user-${1 + dice.below(options.users)}`
      const message = { ConvId: `group-${dice.below(200)}`, ConvType: 2, UpdateTime: time }
      yield* emulator.world.update(World.putConversation(receiver, message))

      const entries = yield* emulator.journal.entries
      yield* emulator.journal.clear
      total.calls += entries.length
      const rejected = entries.filter(
        (entry) => Journal.isRateLimited(entry) && !entry.faults.some((fault) => fault.includes("660300005"))
      )
      if (rejected.length > 0) return yield* Effect.die(new Error(`round ${number}: ${rejected.length} over the quota`))
      if (Journal.nonceReuses(entries) > 0) return yield* Effect.die(new Error(`round ${number}: a nonce came twice`))
      if (number % Math.ceil(rounds / 10) === 0) sizes.push(memory())
    })

    for (let number = 1; number <= rounds; number++) {
      yield* round(number)
      yield* Effect.sleep(pause)
    }
    return { ...total, sizes, millis: (yield* Clock.currentTimeMillis) - begun }
  })
  return ZimTest.run(program, world, faults, {
    seed: options.seed,
    limit: Duration.hours(options.hours * 3),
    journalCapacity: 100_000
  })
}
