import { RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { Emulator, Fault, type World } from "@effect-zim/emulator"
import { Checkpoint, CsvSink, Export, NdjsonSink, type Progress, type ExportSink, UserList } from "@effect-zim/export"
import { AppId, ServiceError } from "@effect-zim/protocol"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import process from "node:process"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Disk } from "./disk.ts"
import { impatient, layer, worldOf } from "./support.ts"

const out = "/out.ndjson"
const world = worldOf([3, 0, 4, 1, 2, 12, 7, 5, 6, 1])
const users = world.users.map(({ userId }) => userId)

const exportTo = (
  disk: Disk,
  lines: ReadonlyArray<string>,
  options?: Partial<Export.Options> & { readonly make?: typeof NdjsonSink.make }
) =>
  Stream.unwrap(
    Effect.map((options?.make ?? NdjsonSink.make)({ path: out }), (sink) =>
      Export.run(Stream.fromIterable(lines), { sink, concurrency: 2, ...options })
    )
  ).pipe(Stream.provide(disk.layer), Stream.provideService(RetryPolicy.Current, impatient))

const run = (...args: Parameters<typeof exportTo>) => Stream.runCollect(exportTo(...args))

const fails = (...args: Parameters<typeof exportTo>) => Effect.flip(Stream.runDrain(exportTo(...args)))

/** Who is recorded as failed so far. */
const failuresOf = (disk: Disk): string | undefined => disk.text(`${out}.failures.ndjson.part`)

const exportedUsers = (disk: Disk): ReadonlyArray<string> => {
  const lines = (disk.text(out) ?? assert.fail("there is no output")).split("\n")
  assert.strictEqual(lines.pop(), "", "the output ends in the middle of a line")
  return [...new Set(lines.map((line): string => JSON.parse(line).userId))].toSorted()
}

const nonEmpty = (world: World.World) =>
  world.users.filter(({ conversations }) => conversations.length > 0).map(({ userId }): string => userId)

const tagsOf = (events: ReadonlyArray<Progress.Event>) => events.map(({ _tag }) => _tag)

describe("Export", () => {
  it.effect("tells what becomes of each line, what is saved, and when it is done", () =>
    Effect.gen(function* () {
      const events = yield* run(new Disk(), [...users, "stranger", "", users[0] ?? ""])
      assert.deepStrictEqual([tagsOf(events)[0], tagsOf(events).at(-1)], ["Started", "Finished"])
      const lines = events.flatMap((event) => ("line" in event ? [event.line] : []))
      assert.deepStrictEqual(
        lines.toSorted((a, b) => a - b),
        Array.from({ length: 13 }, (_, i) => i + 1)
      )
      const last = events.at(-1)
      assert.deepStrictEqual(last?._tag === "Finished" ? last.counts : undefined, {
        ...Checkpoint.noCounts,
        lines: 13,
        users: 10,
        conversations: 41,
        calls: 11,
        failed: 1,
        invalid: 1,
        duplicates: 1
      })
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("a user whose list cannot be read is recorded with code and request id, and the others go on", () =>
    Effect.gen(function* () {
      const events = yield* run(new Disk(), users)
      const failed = events.flatMap((event) =>
        event._tag === "UserFailed" ? [{ userId: event.userId, error: event.error, code: event.code }] : []
      )
      assert.sameDeepMembers(failed, [
        { userId: "user-1", error: "UnknownReturnCode", code: 424242 },
        { userId: "user-3", error: "QueryFailed", code: 660800053 },
        { userId: "user-5", error: "PagingLoop", code: undefined },
        { userId: "user-7", error: "InvalidInput", code: 660000002 }
      ])
      for (const event of events) {
        if (event._tag === "UserFailed" && event.code !== undefined) assert.match(event.requestId ?? "", /^\d+$/)
      }
      assert.deepStrictEqual(tagsOf(events).filter((tag) => tag === "UserExported").length, 6)
    }).pipe(
      Effect.provide(
        layer({
          world,
          faults: [
            Fault.returnCode(424242).pipe(Fault.when(Fault.user("user-1"))),
            Fault.returnCode(660800053).pipe(Fault.when(Fault.user("user-3"))),
            Fault.cyclingCursor(1).pipe(Fault.when(Fault.user("user-5"))),
            Fault.returnCode(660000002).pipe(Fault.when(Fault.user("user-7")))
          ]
        })
      )
    )
  )

  const everybody = {
    AuthenticationFailed: Fault.returnCode(3),
    SignatureExpired: Fault.returnCode(100000004),
    NotPermitted: Fault.returnCode(100000017),
    MalformedRequest: Fault.returnCode(100000000)
  }
  for (const [tag, fault] of Object.entries(everybody)) {
    it.effect(`${tag} ends it at once, records nobody, and can be gone on from`, () =>
      Effect.gen(function* () {
        const disk = new Disk()
        const emulator = yield* Emulator.Emulator
        yield* emulator.faults.set([fault.pipe(Fault.when(Fault.nth(5)))])
        const error = yield* fails(disk, users)
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(failuresOf(disk), "")
        assert.isAtMost((yield* emulator.journal.entries).length, 7)
        yield* emulator.faults.set([])
        yield* run(disk, users, { mode: "resume" })
        assert.deepStrictEqual(exportedUsers(disk), nonEmpty(world).toSorted())
      }).pipe(Effect.provide(layer({ world })))
    )
  }

  it.effect("a wrong secret ends it with one call", () =>
    Effect.gen(function* () {
      const error = yield* fails(new Disk(), users, { concurrency: 1 })
      assert.strictEqual(error._tag, "AuthenticationFailed")
      assert.lengthOf(yield* (yield* Emulator.Emulator).journal.entries, 1)
    }).pipe(Effect.provide(layer({ world, serverSecret: "not-the-secret" })))
  )

  it.effect("an outage ends it before anybody is recorded as failed", () => {
    const many = worldOf(Array.from({ length: 200 }, () => 1))
    return Effect.gen(function* () {
      const disk = new Disk()
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.set([Fault.connectionReset.pipe(Fault.when(Fault.where(({ index }) => index > 2)))])
      const error = yield* fails(
        disk,
        many.users.map(({ userId }) => userId)
      )
      assert.include(["TransportFailed", "CircuitOpen"], error._tag)
      assert.strictEqual(failuresOf(disk), "")
    }).pipe(Effect.provide(layer({ world: many })))
  })

  /** An export with its own policies, for hours of the test's clock. */
  const forHours = Effect.fnUntraced(function* (
    disk: Disk,
    users: ReadonlyArray<string>,
    mode: ExportSink.Mode = "new"
  ) {
    const sink = yield* Effect.provide(NdjsonSink.make({ path: out }), disk.layer)
    const fiber = yield* Effect.forkChild(
      Effect.exit(Stream.runCollect(Export.run(Stream.fromIterable(users), { sink, mode })))
    )
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("10 seconds")
    return yield* Fiber.join(fiber)
  })
  const many = worldOf(Array.from({ length: 400 }, () => 1))
  const everyone = many.users.map(({ userId }) => userId)

  it.effect("an outage shorter than the deadline is waited out", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      const until = (yield* Clock.currentTimeMillis) + 20 * 60_000
      yield* (yield* Emulator.Emulator).faults.set([
        Fault.connectionReset.pipe(
          Fault.when(Fault.where((call) => call.time > until - 19 * 60_000 && call.time < until))
        ),
        Fault.latency("1 second")
      ])
      const exit = yield* forHours(disk, everyone)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.deepStrictEqual(exportedUsers(disk), everyone.toSorted())
    }).pipe(Effect.provide(layer({ world: many })))
  )

  it.effect("an outage longer than the deadline ends it, and nobody is recorded as failed", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      yield* (yield* Emulator.Emulator).faults.set([
        Fault.connectionReset.pipe(Fault.when(Fault.where((call) => call.index > 50)))
      ])
      const exit = yield* forHours(disk, everyone)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it should have failed")
      assert.strictEqual(Predicate.hasProperty(error, "_tag") ? error._tag : error, "DeadlineExceeded")
      assert.strictEqual(failuresOf(disk), "")
      yield* (yield* Emulator.Emulator).faults.set([])
      yield* forHours(disk, everyone, "resume")
      assert.deepStrictEqual(exportedUsers(disk), everyone.toSorted())
    }).pipe(Effect.provide(layer({ world: many })))
  )

  it.effect("a user who never gets an answer while others do is recorded", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      yield* (yield* Emulator.Emulator).faults.set([
        Fault.truncatedBody.pipe(Fault.when(Fault.user("user-3"))),
        Fault.hang.pipe(Fault.when(Fault.user("user-7"))),
        Fault.latency("5 minutes").pipe(Fault.when(Fault.not(Fault.user("user-3", "user-7"))))
      ])
      const exit = yield* forHours(disk, everyone).pipe(Effect.provideService(Timeout.Attempt, Duration.minutes(6)))
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.deepStrictEqual(
        exportedUsers(disk),
        everyone.filter((user) => user !== "user-3" && user !== "user-7").toSorted()
      )
    }).pipe(Effect.provide(layer({ world: many })))
  )

  for (const [what, fault] of Object.entries({
    "an answer": Fault.returnCode(1),
    "any answer": Fault.hang,
    "a connection": Fault.connectionReset
  })) {
    it.effect(`a user who never gets ${what} is recorded, also where the others are done long before`, () =>
      Effect.gen(function* () {
        const disk = new Disk()
        const emulator = yield* Emulator.Emulator
        yield* emulator.faults.set([fault.pipe(Fault.when(Fault.user("user-2")))])
        yield* forHours(disk, users)
        assert.deepStrictEqual(
          exportedUsers(disk),
          nonEmpty(world)
            .filter((user) => user !== "user-2")
            .toSorted()
        )
        const failures = disk.text(`${out}.failures.ndjson`) ?? ""
        assert.include(failures, '"line":3,"userId":"user-2","error":"DeadlineExceeded"')
      }).pipe(Effect.provide(layer({ world })))
    )
  }

  it.effect("gone on with for that user alone, too", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      const { faults } = yield* Emulator.Emulator
      yield* faults.set([Fault.hang.pipe(Fault.when(Fault.user("user-2")))])
      yield* Stream.runDrain(
        Stream.takeUntil(exportTo(disk, users), (event) => event._tag === "Saved" && event.counts.users === 9)
      )
      const events = yield* forHours(disk, users, "resume")
      assert.deepInclude(Exit.isSuccess(events) ? events.value.at(-1) : events, {
        _tag: "Finished",
        wasFinished: false
      })
      assert.include(disk.text(`${out}.failures.ndjson`) ?? "", '"userId":"user-2"')
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("a service that cannot read any list ends it, and does not finish it", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      yield* (yield* Emulator.Emulator).faults.set([Fault.returnCode(660800053)])
      const exit = yield* forHours(disk, everyone)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it should have failed")
      assert.strictEqual(Predicate.hasProperty(error, "_tag") ? error._tag : error, "QueryFailed")
      assert.strictEqual(failuresOf(disk), "")
    }).pipe(Effect.provide(layer({ world: many })))
  )

  it.effect("asked to stop, it finishes what is under way, saves it, and can be gone on from", () => {
    const users = everyone
    return Effect.gen(function* () {
      const disk = new Disk()
      const stop = yield* Deferred.make<void>()
      const first = yield* exportTo(disk, users, { until: Deferred.await(stop) }).pipe(
        Stream.tap((event) => (event._tag === "UserExported" ? Deferred.succeed(stop, undefined) : Effect.void)),
        Stream.runCollect
      )
      assert.strictEqual(first.at(-1)?._tag, "Stopped")
      const done = tagsOf(first).filter((tag) => tag === "UserExported").length
      assert.isBelow(done, 400)
      // Whatever was asked for is done.
      assert.lengthOf(yield* (yield* Emulator.Emulator).journal.entries, done)
      const second = yield* run(disk, users, { mode: "resume" })
      const [started, finished] = [second[0], second.at(-1)]
      assert.isTrue(started?._tag === "Started" && started.isResumed && started.counts.users === done)
      assert.isTrue(finished?._tag === "Finished" && !finished.wasFinished)
      assert.strictEqual(tagsOf(second).filter((tag) => tag === "UserExported").length, 400 - done)
      assert.deepStrictEqual(exportedUsers(disk), users.toSorted())
    }).pipe(Effect.provide(layer({ world: many })))
  })

  it.effect("a list that changes while it is read is read again", () =>
    Effect.gen(function* () {
      const events = yield* run(new Disk(), ["user-0"])
      const exported = events.find((event) => event._tag === "UserExported")
      assert.deepInclude(exported, { conversations: 600, verdict: "Complete" })
      assert.lengthOf(yield* (yield* Emulator.Emulator).journal.entries, 4)
    }).pipe(
      Effect.provide(
        layer({
          world: worldOf([600]),
          // The first second page repeats the first page's cursor position: entries come twice.
          faults: [
            Fault.rewrite("twice", (reply) => ({
              ...reply,
              body:
                typeof reply.body === "string" ? reply.body.replace('"TotalCount":600', '"TotalCount":601') : reply.body
            })).pipe(Fault.when(Fault.nth(2)))
          ]
        })
      )
    )
  )

  it.effect("tens of thousands of ids that hardly differ are told apart, and known when they come again", () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => `user-${i}`)
    // A service that takes no time, and has no conversations.
    const client: ZimClient.ZimClient["Service"] = {
      appId: AppId.make(1),
      execute: Effect.fnUntraced(function* (operation, input) {
        const request = yield* Effect.orDie(operation.make(input))
        const payload = yield* Effect.orDie(Schema.decodeUnknownEffect(operation.payload)({ Next: 0 }))
        return Result.getOrThrow(
          operation.interpret(payload, request, {
            text: '{"Next":0}',
            requestId: undefined,
            attempts: 1,
            elapsed: Duration.zero
          })
        )
      })
    }
    return Effect.gen(function* () {
      const events = yield* run(new Disk(), [...ids, ...ids])
      const last = events.at(-1)
      assert.deepInclude(last?._tag === "Finished" ? last.counts : {}, { users: 20_000, duplicates: 20_000 })
    }).pipe(Effect.provideService(ZimClient.ZimClient, client))
  })

  it.effect("users who wait keep nothing of the file but their ids", () => {
    setFlagsFromString("--expose-gc")
    const collect: () => void = runInNewContext("gc")
    const count = 200
    let asked = 0
    const heap: Array<number> = []
    const client: ZimClient.ZimClient["Service"] = {
      appId: AppId.make(1),
      execute: () =>
        Effect.suspend(() => {
          if (++asked === 10 || asked === count) {
            collect()
            heap.push(process.memoryUsage().heapUsed)
          }
          return Effect.fail(
            new ServiceError.UnknownReturnCode({
              action: "QueryConversationList",
              attempts: 1,
              elapsed: Duration.zero,
              code: 424242,
              vendorMessage: "",
              requestId: "1"
            })
          )
        })
    }
    // Nobody can be read: all of them wait.
    const piece = (i: number) => new TextEncoder().encode(`a-user-with-a-long-id-${i}\n${"x".repeat(100_000)}\n`)
    const lines = UserList.lines(Stream.map(Stream.rechunk(Stream.range(1, count), 1), piece))
    return Effect.gen(function* () {
      const disk = new Disk()
      const sink = yield* Effect.provide(NdjsonSink.make({ path: out }), disk.layer)
      yield* Effect.flip(Stream.runDrain(Export.run(lines, { sink, concurrency: 1 })))
      assert.isBelow((heap[1] ?? Infinity) - (heap[0] ?? 0), 8_000_000)
    }).pipe(Effect.provideService(ZimClient.ZimClient, client))
  })

  it.effect.prop(
    "duplicates are found, whatever the ids",
    {
      ids: Arbitrary.array(Arbitrary.schema(Schema.String.check(Schema.isPattern(/^[ab!~ ]{1,3}$/))), { maxLength: 60 })
    },
    ({ ids }) =>
      Effect.gen(function* () {
        // Somebody can be read, or it would be no export.
        const events = yield* run(new Disk(), ["user-0", ...ids])
        const seen = new Set<string>()
        const expected = ids.flatMap((id, i) => (seen.size === seen.add(id).size ? [i + 2] : []))
        const found = events.flatMap((event) =>
          event._tag === "UserFailed" && event.error === "DuplicateUser" ? [event.line] : []
        )
        assert.deepStrictEqual(
          found.toSorted((a, b) => a - b),
          expected
        )
      }).pipe(Effect.provide(layer({ world }))),
    { arbitrary: { seed: 3, runs: 60 } }
  )
})

/** An export that was stopped after some users. */
const unfinished = Effect.fnUntraced(function* (options?: Parameters<typeof exportTo>[2]) {
  const disk = new Disk()
  yield* Stream.runDrain(Stream.take(exportTo(disk, users, options), 8))
  assert.isAbove(disk.text(`${out}.part`)?.length ?? 0, 0)
  return disk
})

const checkpointOf = (disk: Disk) => disk.text(`${out}.checkpoint`) ?? ""

const refused = Effect.fnUntraced(function* (
  disk: Disk,
  expected: object,
  lines = users,
  options: Parameters<typeof exportTo>[2] = { mode: "resume" }
) {
  const before = disk.paths().map((path) => [path, disk.text(path)])
  const error = yield* fails(disk, lines, options)
  assert.deepInclude({ ...error, _tag: error._tag, message: error.message }, expected)
  return { before, after: disk.paths().map((path) => [path, disk.text(path)]) }
})

describe("going on", () => {
  it.effect("with users that have grown at the end", () =>
    Effect.gen(function* () {
      const disk = yield* unfinished()
      yield* run(disk, [...users, "stranger"], { mode: "resume" })
      assert.deepStrictEqual(exportedUsers(disk), nonEmpty(world).toSorted())
      assert.include(disk.text(`${out}.failures.ndjson`) ?? "", '"line":11,"userId":"stranger"')
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("is refused with other users, and nothing of theirs is exported", () =>
    Effect.gen(function* () {
      const others = ["user-9", ...users.slice(1)]
      const { after, before } = yield* refused(yield* unfinished(), { reason: { _tag: "OtherUsers" } }, others)
      assert.deepStrictEqual(after, before)
      yield* refused(yield* unfinished(), { reason: { _tag: "OtherUsers" } }, users.slice(0, 2))
      yield* refused(yield* unfinished(), { reason: { _tag: "OtherUsers" } }, [])
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("is refused with a checkpoint of another app, version or format, or a damaged one", () =>
    Effect.gen(function* () {
      const change = Effect.fnUntraced(function* (edit: (json: string) => string, expected: object) {
        const disk = yield* unfinished()
        disk.put(`${out}.checkpoint`, edit(checkpointOf(disk)))
        const { after, before } = yield* refused(disk, expected)
        assert.deepStrictEqual(after, before)
      })
      yield* change((json) => json.replace('"version":2', '"version":7'), {
        reason: { _tag: "OtherVersion" },
        message: `cannot go on from ${out}.checkpoint: it is of version 7, this program makes version 2`
      })
      yield* change((json) => json.replace('"format":"ndjson"', '"format":"csv"'), { reason: { _tag: "OtherFormat" } })
      yield* change((json) => json.replace('"read"', '"reed"'), { reason: { _tag: "Unreadable" } })
      yield* change((json) => json.slice(0, 40), { reason: { _tag: "Unreadable" } })
      yield* change(() => "", { reason: { _tag: "Unreadable" } })
      const disk = yield* unfinished()
      disk.put(`${out}.checkpoint`, checkpointOf(disk).replace('"appId":12345', '"appId":12346'))
      yield* refused(disk, { reason: { _tag: "OtherApp" } })
      yield* refused(yield* unfinished(), { reason: { _tag: "OtherFormat" } }, users, {
        mode: "resume",
        make: CsvSink.make
      })
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("is refused where the output has changed meanwhile", () =>
    Effect.gen(function* () {
      for (const path of [`${out}.part`, `${out}.failures.ndjson.part`]) {
        for (const edit of [
          (text: string) => text.slice(0, -1),
          (text: string) => `${text.slice(0, -3)}x${text.slice(-2)}`,
          () => undefined
        ]) {
          const disk = new Disk()
          yield* Stream.runDrain(Stream.take(exportTo(disk, ["", ...users]), 8))
          const text = edit(disk.text(path) ?? "")
          if (text === undefined) disk.remove(path)
          else disk.put(path, text)
          yield* refused(disk, { reason: { _tag: "OutputChanged" }, path })
        }
      }
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("cuts off what an interrupted write has left", () =>
    Effect.gen(function* () {
      const disk = yield* unfinished()
      disk.put(`${out}.part`, `${disk.text(`${out}.part`)}{"userId":"user-9","conv${"x".repeat(9999)}`)
      yield* run(disk, users, { mode: "resume" })
      assert.deepStrictEqual(exportedUsers(disk), nonEmpty(world).toSorted())
    }).pipe(Effect.provide(layer({ world })))
  )
})

describe("users that end otherwise than they should", () => {
  it.effect("where nobody can be read, the export fails and is not finished", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      for (const mode of ["new", "resume"] as const) {
        const error = yield* fails(disk, ["stranger", "", "stranger"], { mode })
        assert.deepInclude(error, { _tag: "NobodyExported" })
        assert.strictEqual(
          error.message,
          "nobody could be read: of 3 lines 1 is no user id, and 1 user could not be read"
        )
        assert.isUndefined(disk.text(out))
        assert.lengthOf((failuresOf(disk) ?? "").trimEnd().split("\n"), 3)
      }
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("a file that grows meanwhile is not finished either, and can be gone on from", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* fs.makeTempFileScoped()
      const disk = new Disk()
      const exportOf = (mode: ExportSink.Mode, lines = UserList.file(path)) =>
        Stream.unwrap(
          Effect.map(Effect.provide(NdjsonSink.make({ path: out }), disk.layer), (sink) =>
            Export.run(lines, { sink, mode, concurrency: 1 })
          )
        ).pipe(Stream.provideService(RetryPolicy.Current, impatient))
      yield* fs.writeFileString(path, users.slice(0, 6).join("\n"))
      yield* fs.utimes(path, 1, 1)
      // In the middle of the last line.
      const grow = Effect.orDie(fs.writeFileString(path, users.join("\n").slice(0, -3)))
      const growing = Stream.tap(UserList.file(path), (line) => (line === users[0] ? grow : Effect.void))
      const error = yield* Effect.flip(Stream.runDrain(exportOf("new", growing)))
      assert.deepInclude(error, { _tag: "UserListUnreadable", reason: { _tag: "Changed" } })
      assert.isUndefined(disk.text(out))
      yield* fs.writeFileString(path, users.join("\n"))
      yield* Stream.runDrain(exportOf("resume"))
      assert.deepStrictEqual(exportedUsers(disk), nonEmpty(world).toSorted())
      assert.strictEqual(disk.text(`${out}.failures.ndjson`), "")
    }).pipe(Effect.scoped, Effect.provide([layer({ world }), NodeFileSystem.layer]))
  )
})

describe("what cannot be read", () => {
  it.effect("is told as that, and the export can be gone on from", () =>
    Effect.gen(function* () {
      for (const path of [`${out}.checkpoint`, `${out}.part`]) {
        const disk = yield* unfinished()
        disk.unreadable.add(path)
        yield* refused(disk, {
          _tag: "SinkFailed",
          operation: "read",
          message: `cannot read ${path}: permission denied`
        })
        disk.unreadable.clear()
        yield* run(disk, users, { mode: "resume" })
        assert.deepStrictEqual(exportedUsers(disk), nonEmpty(world).toSorted())
      }
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("while it runs, too", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      const error = yield* exportTo(disk, users).pipe(
        Stream.tap(() => Effect.sync(() => disk.unreadable.add(`${out}.part`))),
        Stream.runDrain,
        Effect.flip
      )
      assert.strictEqual(error.message, `cannot read ${out}.part: permission denied`)
    }).pipe(Effect.provide(layer({ world })))
  )
})

describe("what is there already", () => {
  it.effect("a finished output of another content is no finished export, however long it is", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      yield* run(disk, users)
      disk.put(out, "x".repeat(Buffer.byteLength(disk.text(out) ?? "")))
      const { after, before } = yield* refused(disk, { reason: { _tag: "OutputChanged" }, path: out })
      assert.deepStrictEqual(after, before)
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("a file with the output's name is not taken for its unfinished one, however long it is", () =>
    Effect.gen(function* () {
      const disk = yield* unfinished()
      disk.put(out, "x".repeat(Buffer.byteLength(disk.text(`${out}.part`) ?? "")))
      disk.remove(`${out}.part`)
      yield* refused(disk, { reason: { _tag: "OutputChanged" }, path: `${out}.part` })
      assert.match(disk.text(out) ?? "", /^x+$/)
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("nor is a file for failures that went elsewhere before", () =>
    Effect.gen(function* () {
      const notes = { make: ({ path }: { readonly path: string }) => NdjsonSink.make({ path, failures: "/notes.txt" }) }
      const disk = yield* unfinished()
      disk.put("/notes.txt", "precious")
      yield* refused(disk, { reason: { _tag: "OutputChanged" }, path: "/notes.txt" }, users, {
        ...notes,
        mode: "resume"
      })
      assert.strictEqual(disk.text("/notes.txt"), "precious")
      yield* run(disk, users, { mode: "resume" })
      disk.remove(out)
      yield* refused(disk, { _tag: "OutputExists", path: "/notes.txt" }, users, { ...notes, mode: "resume" })
      assert.strictEqual(disk.text("/notes.txt"), "precious")
      disk.remove("/notes.txt")
      yield* run(disk, users, { ...notes, mode: "resume" })
      assert.deepStrictEqual(exportedUsers(disk), nonEmpty(world).toSorted())
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("failures cannot go where the export has a file of its own", () =>
    Effect.gen(function* () {
      const own = ["", ".part", ".checkpoint", ".checkpoint.tmp", ".lock", ".lock.json"].map((ending) => out + ending)
      for (const failures of [...own, `/folder/..${out}`]) {
        const disk = new Disk()
        yield* refused(disk, { _tag: "SameFile" }, ["", ...users], {
          make: ({ path }) => NdjsonSink.make({ path, failures })
        })
        assert.deepStrictEqual(disk.paths(), [])
      }
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("new refuses it; resume finds a finished export finished; restart replaces it when all is done", () =>
    Effect.gen(function* () {
      const disk = yield* unfinished()
      yield* refused(disk, { _tag: "OutputExists", isUnfinished: true }, users, { mode: "new" })
      yield* run(disk, users, { mode: "resume" })
      const finished = disk.text(out)
      yield* refused(disk, { _tag: "OutputExists", isUnfinished: false }, users, { mode: "new" })
      const again = yield* run(disk, users, { mode: "resume" })
      assert.deepStrictEqual(tagsOf(again), ["Started", "Finished"])
      yield* refused(disk, { reason: { _tag: "OtherUsers" } }, ["user-9", ...users.slice(1)])
      yield* refused(disk, { reason: { _tag: "OtherUsers" } }, [])
      const { after, before } = yield* refused(disk, { reason: { _tag: "MoreUsers" } }, [...users, "stranger"])
      assert.deepStrictEqual(after, before)

      yield* Stream.runDrain(Stream.take(exportTo(disk, ["user-5", "user-6"], { mode: "restart" }), 4))
      assert.strictEqual(disk.text(out), finished)
      yield* run(disk, ["user-5", "user-6"], { mode: "resume" })
      assert.deepStrictEqual(exportedUsers(disk), ["user-5", "user-6"])
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("a file that is no output of an export stays as it is", () =>
    Effect.gen(function* () {
      for (const path of [out, `${out}.part`, `${out}.failures.ndjson`]) {
        for (const mode of ["new", "resume"] as const) {
          const disk = new Disk()
          disk.put(path, "precious")
          yield* refused(disk, { _tag: "OutputExists", path, isUnfinished: false }, users, { mode })
          assert.deepStrictEqual(disk.paths(), [path])
          assert.strictEqual(disk.text(path), "precious")
        }
      }
      const disk = new Disk()
      yield* refused(disk, { _tag: "OutputUnusable", path: "/a-folder" }, users, {
        sink: yield* NdjsonSink.make({ path: "/a-folder" }).pipe(
          Effect.provide(disk.layer),
          Effect.tap(() => Effect.sync(() => disk.put("/a-folder", "")))
        )
      })
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("two exports at once: the second ends at once, and the first is complete", () =>
    Effect.gen(function* () {
      for (const mode of ["new", "resume", "restart"] as const) {
        const disk = new Disk()
        const errors: Array<string> = []
        yield* exportTo(disk, [...users, "stranger"]).pipe(
          Stream.tap(() =>
            Effect.flatMap(fails(disk, users, { mode }), (error) => Effect.sync(() => errors.push(error.message)))
          ),
          Stream.runDrain
        )
        assert.isAbove(errors.length, 10)
        for (const message of errors) {
          assert.strictEqual(message, `another export writes to ${out}, or keeps it locked`)
        }
        assert.deepStrictEqual(exportedUsers(disk), nonEmpty(world).toSorted())
      }
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("restart keeps output and failures until the new ones are complete", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      yield* run(disk, [...users, "stranger"])
      const before = [disk.text(out), disk.text(`${out}.failures.ndjson`)]
      assert.include(before[1], "stranger")
      yield* Stream.runDrain(Stream.take(exportTo(disk, ["", ...users], { mode: "restart" }), 8))
      assert.deepStrictEqual([disk.text(out), disk.text(`${out}.failures.ndjson`)], before)
      yield* run(disk, ["", ...users], { mode: "resume" })
      assert.match(disk.text(`${out}.failures.ndjson`) ?? "", /^\{"line":1,"userId":"","error":"BlankLine".*\}\n$/)
    }).pipe(Effect.provide(layer({ world })))
  )

  it.effect("a disk that is full says so", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      disk.start({ at: 12, how: "full", survives: 0.5 })
      const error: ExportSink.SinkFailed | { readonly _tag: string; readonly message: string } = yield* fails(
        disk,
        users
      )
      assert.deepInclude({ ...error, _tag: error._tag }, { _tag: "SinkFailed", operation: "write" })
      assert.match(error.message, /^cannot write .*: no space left on the device$/)
    }).pipe(Effect.provide(layer({ world })))
  )
})
