/**
 * Reads users, and finds out whose trouble it is that one cannot be read.
 *
 * The law: for what may be everybody's trouble a user is recorded as failed only where a list of somebody else could be
 * read right before and right after this one could not, twice. Until then the user waits, and is pending: when many wait,
 * and at the end, they are asked again. Where others cannot be read either, the export ends, and whoever waits is asked
 * again by the next run.
 *
 * Who is not registered is recorded as soon as somebody else is read. Where many in a row are not, those who were read
 * before are asked: another app's data, or none, knows nobody.
 */
import { ClientError, type Conversations } from "@effect-zim/client"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type * as ExportSink from "../../ExportSink.ts"
import type { Task, User } from "./inputLines.ts"
import { type Asked, readList, readListAgain } from "./listCalls.ts"
import { type Moment, type Options, type SuspectFailure, type UsersVanished, OutageDetector } from "./outageDetector.ts"

/** Silence while a user's list was asked for says nothing of itself where it was shorter than this, in milliseconds. */
const longSilence = 60_000

/** How many users wait, at the most, before they are asked again. */
const mostWaiting = 32

/** The same where nobody has been read yet: there is nobody to compare them with. */
const mostUnread = 500

/** How many users in a row may be unregistered before those are asked who were read before. */
const mostUnregistered = 32

/** How often the service reads others before and after it does not read a user who is recorded. */
const strikes = 2

/** How often it may turn out in between that it does not read others either. */
const mostSetbacks = 5

const failedOf = ({ line, userId }: User, error: Conversations.ListError): ExportSink.Failed => ({
  _tag: "Failed",
  line,
  userId,
  error: error._tag,
  code: "code" in error ? error.code : undefined,
  requestId: "requestId" in error ? error.requestId : undefined,
  message: error.message
})

export class UserReader {
  readonly #options: Options & { readonly concurrency: number }
  readonly #detector: OutageDetector
  /** Without their errors: those keep alive what was going on when they were made. The last one is enough. */
  readonly #waiting: Array<Omit<SuspectFailure, "error">> = []
  #trouble: Conversations.ListError | undefined
  /** Since somebody was read. */
  readonly #unregistered: Array<ExportSink.Failed> = []

  constructor(options: Options & { readonly concurrency: number }) {
    this.#options = options
    this.#detector = new OutageDetector(options)
  }

  /** What became of a line, and of users who have waited; nothing yet where the user waits from now on. */
  readonly read = Effect.fnUntraced({ self: this }, function* (task: Task) {
    if (task._tag === "Failed") return [task]
    const began = this.#detector.now()
    const result = yield* this.#settle(task, readList(task.userId, this.#options.pageSize))
    if (result._tag === "SuspectFailure") return yield* this.#suspect(result, began)
    if (result._tag === "Exported") return [...this.#unregistered.splice(0), result]
    return result.error === "UserNotRegistered" ? yield* this.#addUnregistered(result) : [result]
  })

  /** What becomes of those who still wait when all others are done. */
  readonly waiting = Stream.unwrap(
    Effect.gen({ self: this }, function* () {
      const { hasWitness, isWitnessOfNow } = this.#detector
      const unregistered = Stream.fromIterable(isWitnessOfNow ? this.#unregistered.splice(0) : yield* this.#endRow())
      const error = this.#trouble
      if (error === undefined) return unregistered
      if (!hasWitness) return Stream.concat(unregistered, Stream.fail(error))
      const { concurrency } = this.#options
      const judged = Stream.fromIterable(this.#waiting.splice(0)).pipe(
        Stream.mapEffect((user) => this.#judge({ ...user, error }), { concurrency, unordered: true })
      )
      return Stream.concat(unregistered, judged)
    })
  )

  /** What becomes of a user, where that is sure. */
  #settle(user: User, ask: Asked<Conversations.Snapshot>): Asked<ExportSink.Outcome | SuspectFailure> {
    return Effect.gen({ self: this }, function* () {
      const began = this.#detector.next()
      const result = yield* Effect.result(ask)
      if (Result.isSuccess(result)) {
        const { conversations, verdict } = result.success
        this.#detector.succeeded(user.userId, began)
        return { ...user, _tag: "Exported", conversations, verdict }
      }
      const error = result.failure
      const { concerns } = ClientError.traits(error)
      if (concerns === "Everybody") return yield* Effect.fail(error)
      if (concerns === "User") return failedOf(user, error)
      return { _tag: "SuspectFailure", user, error, turn: this.#detector.next() }
    })
  }

  #addUnregistered(failed: ExportSink.Failed): Asked<ReadonlyArray<ExportSink.Failed>, UsersVanished> {
    // Nobody to compare with: where nobody is read at all, the export says so at its end.
    if (!this.#detector.hasWitness) return Effect.succeed([failed])
    this.#unregistered.push(failed)
    return this.#unregistered.length < mostUnregistered ? Effect.succeed([]) : this.#endRow()
  }

  /** Those who are not registered, where somebody else is. */
  #endRow(): Asked<ReadonlyArray<ExportSink.Failed>, UsersVanished> {
    const row = this.#unregistered.splice(0)
    if (row.length === 0) return Effect.succeed(row)
    const userIds = row.map(({ userId }) => userId)
    return Effect.as(this.#detector.assertRegistered(userIds, this.#detector.now().turn), row)
  }

  /** Lets a user wait, as long as it is not everybody's trouble; asks those again who wait when there are many. */
  readonly #suspect = Effect.fnUntraced({ self: this }, function* (suspect: SuspectFailure, began: Moment) {
    const { error, ...user } = suspect
    this.#waiting.push(user)
    this.#trouble = error
    const detector = this.#detector
    if (!detector.hasWitness) {
      // Nobody has been read yet: it goes on for a while, but not where it takes long.
      const isLong = detector.now().at - began.at >= longSilence || this.#waiting.length >= mostUnread
      if (isLong && !(yield* detector.isReadingAfter(suspect))) return yield* Effect.fail(error)
      return []
    }
    if (detector.isSilentSince(began)) yield* detector.assertReadingAfter(suspect)
    if (this.#waiting.length < mostWaiting) return []
    const { concurrency } = this.#options
    const asked = this.#waiting.splice(0, mostWaiting)
    return yield* Effect.forEach(asked, (user) => this.#judge({ ...user, error }), { concurrency })
  })

  /** Asks a user again, in turns with somebody else, until it is sure. */
  readonly #judge = Effect.fnUntraced({ self: this }, function* (first: SuspectFailure) {
    const { user } = first
    yield* this.#detector.assertReadingAfter(first)
    for (let count = 0, setbacks = 0; ;) {
      const result = yield* this.#settle(user, readListAgain(user.userId, this.#options.pageSize))
      if (result._tag !== "SuspectFailure") return result
      if (yield* this.#detector.isReadingAfter(result)) {
        if (++count === strikes) return failedOf(user, result.error)
      } else {
        if (++setbacks === mostSetbacks) return yield* Effect.fail(result.error)
        yield* this.#detector.assertReadingAfter(result)
      }
    }
  })
}
