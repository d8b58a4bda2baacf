/**
 * Whatever the service goes through, and however often an export is started anew: who can be read is exported, who cannot
 * is recorded, and nobody is taken for the other.
 */
import { Timeout } from "@effect-zim/client"
import { Emulator, Fault } from "@effect-zim/emulator"
import { Export, NdjsonSink } from "@effect-zim/export"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Disk } from "./disk.ts"
import { layer, worldOf } from "./support.ts"

const out = "/out.ndjson"

/** What may happen to everybody, or to one user for good. */
const troubles = {
  "a gateway's page": Fault.httpStatus(403, "<html>Forbidden</html>"),
  "a code 0 of another shape": Fault.rawBody('{"Code":0,"Message":"success","Data":{}}'),
  "an unknown code": Fault.returnCode(424242),
  "a code for the vendor's support": Fault.returnCode(660800053),
  "a code that may pass": Fault.returnCode(1),
  "an overloaded gateway": Fault.httpStatus(503),
  "no JSON": Fault.notJson,
  "no connection": Fault.connectionReset
} satisfies Record<string, Fault.Fault>

type Trouble = keyof typeof troubles

const names: ReadonlyArray<Trouble> = [
  "a gateway's page",
  "a code 0 of another shape",
  "an unknown code",
  "a code for the vendor's support",
  "a code that may pass",
  "an overloaded gateway",
  "no JSON",
  "no connection"
]

/** One run of the program, until it ends or is killed after so many events. */
const session = Effect.fnUntraced(function* (
  disk: Disk,
  users: ReadonlyArray<string>,
  concurrency: number,
  events = Infinity
) {
  const sink = yield* Effect.provide(NdjsonSink.make({ path: out }), disk.layer)
  const running = Export.run(Stream.fromIterable(users), { sink, mode: "resume", concurrency })
  const fiber = yield* Stream.runDrain(Stream.take(running, events)).pipe(
    // Some outages are longer, some are not.
    Effect.provideService(Timeout.Deadline, Duration.minutes(3)),
    Effect.exit,
    Effect.forkChild
  )
  while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("30 seconds")
  return yield* Fiber.join(fiber)
})

const recordsOf = (disk: Disk, path: string): ReadonlyArray<string> =>
  (disk.text(path) ?? "")
    .split("\n")
    .slice(0, -1)
    .map((line): string => JSON.parse(line).userId)

/** Who is in the output, each user's one conversation, and who is recorded. */
const assertOutcome = (disk: Disk, users: ReadonlyArray<string>, unreadable: ReadonlySet<string>) => {
  const sorted = users.toSorted()
  assert.deepStrictEqual(
    recordsOf(disk, `${out}.failures.ndjson`).toSorted(),
    sorted.filter((user) => unreadable.has(user))
  )
  assert.deepStrictEqual(
    recordsOf(disk, out).toSorted(),
    sorted.filter((user) => !unreadable.has(user))
  )
}

const usersOf = (count: number) => worldOf(Array.from({ length: count }, () => 1))

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("an export through outages", () => {
  const Plan = {
    count: Arbitrary.schema(int(2, 90)),
    /** Lines of users who are not registered, before all others. */
    strangers: Arbitrary.schema(int(0, 2)),
    /** Runs of users who can never be read. */
    unreadable: Arbitrary.array(
      Arbitrary.schema(Schema.Struct({ from: int(0, 60), length: int(1, 40), trouble: Schema.Literals(names) })),
      { maxLength: 3 }
    ),
    /** In seconds: no trouble for a while, then trouble for everybody. */
    outages: Arbitrary.array(
      Arbitrary.schema(Schema.Struct({ after: int(0, 40), length: int(5, 400), trouble: Schema.Literals(names) })),
      { maxLength: 6 }
    ),
    kills: Arbitrary.array(Arbitrary.schema(int(1, 60)), { maxLength: 4 }),
    concurrency: Arbitrary.schema(Schema.Literals([1, 3, 16]))
  }

  it.effect.prop(
    "records those who can never be read, and exports all others, however often it is started",
    Plan,
    ({ concurrency, count, kills, outages, strangers, unreadable }) => {
      const world = usersOf(count)
      const users = world.users.map(({ userId }): string => userId)
      // The last can be read: where nobody ever can, no export ends well.
      const groups = unreadable.map(({ from, length, trouble }) => ({
        trouble,
        members: users.slice(0, -1).slice(from, from + length)
      }))
      const unknown = Array.from({ length: strangers }, (_, i) => `stranger-${i}`)
      const lines = [...unknown, ...users]
      return Effect.gen(function* () {
        const disk = new Disk()
        const emulator = yield* Emulator.Emulator
        let time = yield* Clock.currentTimeMillis
        yield* emulator.faults.set([
          Fault.latency("1 second"),
          ...groups.flatMap(({ members: [first, ...others], trouble }) =>
            first === undefined ? [] : [troubles[trouble].pipe(Fault.when(Fault.user(first, ...others)))]
          ),
          ...outages.map(({ after, length, trouble }) => {
            const begin = time + after * 1000
            const end = begin + length * 1000
            time = end
            return troubles[trouble].pipe(Fault.when(Fault.where((call) => call.time >= begin && call.time < end)))
          })
        ])
        const plan = [...kills, ...Array.from({ length: 120 }, () => Infinity)]
        for (const events of plan) {
          const exit = yield* session(disk, lines, concurrency, events)
          if (events === Infinity && Exit.isSuccess(exit)) break
          yield* TestClock.adjust("1 minute")
        }
        assertOutcome(disk, lines, new Set([...unknown, ...groups.flatMap(({ members }) => members)]))
      }).pipe(Effect.provide(layer({ world })))
    },
    { arbitrary: { seed: 21, runs: 8 } }
  )

  // Answers that are not asked for again.
  const quick = ["a gateway's page", "a code 0 of another shape", "an unknown code"] as const
  for (const name of quick) {
    it.effect(`eight starts against ${name} for everybody record nobody`, () => {
      const world = usersOf(300)
      const users = world.users.map(({ userId }): string => userId)
      return Effect.gen(function* () {
        const disk = new Disk()
        const emulator = yield* Emulator.Emulator
        yield* emulator.faults.set([troubles[name].pipe(Fault.when(Fault.where(({ index }) => index > 100)))])
        for (let start = 1; start <= 8; start++) {
          const exit = yield* session(disk, users, 16)
          assert.isTrue(Exit.isFailure(exit))
          assert.deepStrictEqual(recordsOf(disk, `${out}.failures.ndjson.part`), [])
          yield* TestClock.adjust("1 minute")
        }
        // It does not take many calls to see that the service is ill.
        assert.isBelow((yield* emulator.journal.entries).length, 100 + 8 * 40)
        yield* emulator.faults.set([])
        assert.isTrue(Exit.isSuccess(yield* session(disk, users, 16)))
        assertOutcome(disk, users, new Set())
      }).pipe(Effect.provide(layer({ world })))
    })
  }

  it.effect("that somebody is not registered does not say that lists can be read", () => {
    const world = usersOf(40)
    const users = world.users.map(({ userId }): string => userId)
    const strangers = ["stranger-0", "stranger-1"]
    return Effect.gen(function* () {
      const disk = new Disk()
      const { faults } = yield* Emulator.Emulator
      yield* faults.set([
        troubles["a code that may pass"].pipe(Fault.when(Fault.not(Fault.user("stranger-0", "stranger-1"))))
      ])
      assert.isTrue(Exit.isFailure(yield* session(disk, [...strangers, ...users], 4)))
      assert.sameMembers([...recordsOf(disk, `${out}.failures.ndjson.part`)], strangers)
      yield* faults.set([])
      assert.isTrue(Exit.isSuccess(yield* session(disk, [...strangers, ...users], 4)))
      assertOutcome(disk, [...strangers, ...users], new Set(strangers))
    }).pipe(Effect.provide(layer({ world })))
  })

  it.effect("an overload under which small pages still come, and lists do not, records nobody", () => {
    const world = usersOf(120)
    const users = world.users.map(({ userId }): string => userId)
    return Effect.gen(function* () {
      const disk = new Disk()
      const { faults } = yield* Emulator.Emulator
      yield* faults.set([
        troubles["an overloaded gateway"].pipe(
          Fault.when(Fault.where(({ index, limit }) => index > 40 && (limit ?? 0) > 1))
        )
      ])
      assert.isTrue(Exit.isFailure(yield* session(disk, users, 16)))
      assert.deepStrictEqual(recordsOf(disk, `${out}.failures.ndjson.part`), [])
      yield* faults.set([])
      assert.isTrue(Exit.isSuccess(yield* session(disk, users, 16)))
      assertOutcome(disk, users, new Set())
    }).pipe(Effect.provide(layer({ world })))
  })

  for (const name of quick) {
    it.effect(`goes on after 70 users in a row whose lists are ${name}, three times over`, () => {
      const world = usersOf(330)
      const users = world.users.map(({ userId }): string => userId)
      const unreadable = [...users.slice(0, 70), ...users.slice(100, 170), ...users.slice(-70)]
      const [first = "", ...others] = unreadable
      return Effect.gen(function* () {
        const disk = new Disk()
        yield* (yield* Emulator.Emulator).faults.set([troubles[name].pipe(Fault.when(Fault.user(first, ...others)))])
        const exit = yield* session(disk, users, 16)
        assert.isTrue(Exit.isSuccess(exit), String(exit))
        assertOutcome(disk, users, new Set(unreadable))
      }).pipe(Effect.provide(layer({ world })))
    })
  }

  /** Another app's data, or an empty replica: from a call on, the service knows none of them. */
  const lost = (from: number) => Fault.returnCode(660500002).pipe(Fault.when(Fault.where(({ index }) => index >= from)))

  it.effect("a service that has lost everybody half-way ends it, and nobody is recorded", () => {
    const world = usersOf(300)
    const users = world.users.map(({ userId }): string => userId)
    return Effect.gen(function* () {
      const disk = new Disk()
      const { faults } = yield* Emulator.Emulator
      yield* faults.set([lost(100)])
      for (let start = 1; start <= 3; start++) {
        const exit = yield* session(disk, users, 16)
        assert.include(String(exit), "UsersVanished")
        assert.deepStrictEqual(recordsOf(disk, `${out}.failures.ndjson.part`), [])
      }
      yield* faults.set([])
      assert.isTrue(Exit.isSuccess(yield* session(disk, users, 16)))
      assertOutcome(disk, users, new Set())
    }).pipe(Effect.provide(layer({ world })))
  })

  it.effect("a few users left, and a service that has lost everybody since: the next run records none of them", () => {
    const world = usersOf(20)
    const users = world.users.map(({ userId }): string => userId)
    return Effect.gen(function* () {
      const disk = new Disk()
      const { faults } = yield* Emulator.Emulator
      yield* faults.set([Fault.latency("1 second")])
      yield* session(disk, users, 1, 12)
      yield* faults.set([lost(0)])
      assert.include(String(yield* session(disk, users, 1)), "UsersVanished")
      assert.deepStrictEqual(recordsOf(disk, `${out}.failures.ndjson.part`), [])
      yield* faults.set([])
      assert.isTrue(Exit.isSuccess(yield* session(disk, users, 1)))
      assertOutcome(disk, users, new Set())
    }).pipe(Effect.provide(layer({ world })))
  })

  it.effect("goes on after 100 users in a row who are not registered, where one of those before still is", () => {
    const world = usersOf(300)
    const users = world.users.map(({ userId }): string => userId)
    const strangers = Array.from({ length: 100 }, (_, i) => `stranger-${i}`)
    const lines = [...users.slice(0, 50), ...strangers, ...users.slice(50)]
    return Effect.gen(function* () {
      const disk = new Disk()
      const exit = yield* session(disk, lines, 16)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assertOutcome(disk, lines, new Set(strangers))
    }).pipe(Effect.provide(layer({ world })))
  })

  it.effect("a wrong secret that shows while another is asked ends it as what it is", () => {
    const world = usersOf(60)
    const users = world.users.map(({ userId }): string => userId)
    return Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      const reset = troubles["a gateway's page"].pipe(Fault.when(Fault.user("user-30")))
      const refused = Fault.returnCode(100000005).pipe(
        Fault.when(Fault.where(({ index, userId }) => index > 30 && userId === "user-29"))
      )
      yield* faults.set([reset, refused])
      const exit = yield* session(new Disk(), users.slice(0, 31), 1)
      assert.include(String(exit), "AuthenticationFailed")
    }).pipe(Effect.provide(layer({ world })))
  })
})
