/**
 * Reads users, and finds out whose trouble it is that one cannot be read.
 *
 * The law: for what may be everybody's trouble a user is recorded as failed only where a list of somebody else could be
 * read right before and right after this one could not, twice. Until then the user waits, and is pending: when many wait,
 * and at the end, they are asked again. Where others cannot be read either, the export ends, and whoever waits is asked
 * again by the next run.
 */
import { CircuitBreaker, ClientError, Conversations, RetryPolicy, Timeout, type ZimClient } from "@effect-zim/client"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type * as Sink from "../Sink.ts"
import type * as Intake from "./intake.ts"

/** The time that a call has, unless another is provided. */
export const deadline = Duration.minutes(30)

/** A list that changes while it is read is read again, so many times. */
const rereads = 2

/** How long a call has by which it is found out whose trouble it is, at the least. */
const patience = Duration.minutes(2)

/** Silence while a user's list was asked for says nothing of itself where it was shorter than this, in milliseconds. */
const longSilence = 60_000

/** How many users wait, at the most, before they are asked again. */
const mostWaiting = 32

/** The same where nobody has been read yet: there is nobody to compare them with. */
const mostUnread = 500

/** How often the service reads others before and after it does not read a user who is recorded. */
const strikes = 2

/** How often it may turn out in between that it does not read others either. */
const mostSetbacks = 5

/** How often somebody else is asked before nobody can be read. */
const tries = 3

type User = Extract<Intake.Task, { readonly _tag: "User" }>

type Asked<A> = Effect.Effect<A, Conversations.ListError, ZimClient.ZimClient>

const read = (userId: string, pageSize: number, left = rereads): Asked<Conversations.Snapshot> =>
  Effect.flatMap(Conversations.snapshot(userId, { pageSize }), (snapshot) =>
    snapshot.verdict === "ChangedWhileReading" && left > 0 ? read(userId, pageSize, left - 1) : Effect.succeed(snapshot)
  )

/** Policies for a job of hours, where the caller has provided none. */
const patiently = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWith((around: Context.Context<never>) =>
    self.pipe(
      Effect.provideService(
        RetryPolicy.Current,
        Context.getOrUndefined(around, RetryPolicy.Current) ?? RetryPolicy.patient
      ),
      Effect.provideService(Timeout.Deadline, Context.getOrUndefined(around, Timeout.Deadline) ?? deadline)
    )
  )

/** The same, but not for half an hour, and although the calls of others have failed. */
const briefly = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, CircuitBreaker.CircuitBreaker>> =>
  Effect.flatMap(Timeout.Attempt, (attempt) =>
    self.pipe(
      Effect.provideService(Timeout.Deadline, Duration.max(patience, attempt)),
      patiently,
      Effect.provide(CircuitBreaker.layerNone)
    )
  )

/** A user who could not be read, for whatever reason. */
interface Doubt {
  readonly _tag: "Doubt"
  readonly user: User
  readonly error: Conversations.ListError
  /** When it turned out: what began later has a larger number. */
  readonly turn: number
}

const failedOf = ({ line, userId }: User, error: Conversations.ListError): Sink.Failed => ({
  _tag: "Failed",
  line,
  userId,
  error: error._tag,
  code: "code" in error ? error.code : undefined,
  requestId: "requestId" in error ? error.requestId : undefined,
  message: error.message
})

export interface Reader {
  /** What became of a line, and of users who have waited; nothing yet where the user waits from now on. */
  readonly read: (task: Intake.Task) => Asked<ReadonlyArray<Sink.Outcome>>
  /** What becomes of those who still wait when all others are done. */
  readonly waiting: Stream.Stream<Sink.Outcome, Conversations.ListError, ZimClient.ZimClient>
}

export const make = (options: {
  readonly pageSize: number
  readonly concurrency: number
  /** A user whose list was read, if there is one. */
  readonly witness: string | undefined
  /** Some other user. */
  readonly another: (userId: string) => string | undefined
  /** The time in milliseconds. */
  readonly now: () => number
}): Reader => {
  const { another, concurrency, now, pageSize } = options
  /** Without their errors: those keep alive what was going on when they were made. The last one is enough. */
  const waiting: Array<Omit<Doubt, "error">> = []
  let trouble: Conversations.ListError | undefined
  const one = Semaphore.makeUnsafe(1)
  let { witness } = options
  /** Counts what begins and ends: it may be at the same time. */
  let turn = 0
  /** Of the calls that have read a list the last to begin, and the last to end. */
  let last = { began: 0, ended: 0, endedAt: now() }

  const succeeded = (userId: string, began: number) => {
    witness = userId
    last = { began: Math.max(last.began, began), ended: ++turn, endedAt: now() }
  }

  /** What becomes of a user, where that is sure. */
  const settle = (user: User, ask: Asked<Conversations.Snapshot>): Asked<Sink.Outcome | Doubt> =>
    Effect.suspend(() => {
      const began = ++turn
      return Effect.matchEffect(ask, {
        onSuccess: ({ conversations, verdict }) => {
          succeeded(user.userId, began)
          return Effect.succeed<Sink.Outcome>({ ...user, _tag: "Exported", conversations, verdict })
        },
        onFailure: (error): Effect.Effect<Sink.Failed | Doubt, Conversations.ListError> => {
          const { concerns } = ClientError.traits(error)
          if (concerns === "Everybody") return Effect.fail(error)
          return Effect.succeed(
            concerns === "User" ? failedOf(user, error) : { _tag: "Doubt", user, error, turn: ++turn }
          )
        }
      })
    })

  /** Whether the list of this user can be read at this moment. */
  const isReadable = (userId: string) =>
    Effect.suspend(() => {
      const began = ++turn
      // As large a page as everybody's: a service that has too much to do may still have time for a small one.
      return Conversations.page(userId, { pageSize }).pipe(
        Effect.as(true),
        // Who was read before and is registered no longer has been answered, too. A stranger tells nothing of lists.
        Effect.catch((error) => Effect.succeed(error._tag === "UserNotRegistered" && userId === witness)),
        Effect.tap((isReadable) => {
          if (isReadable) succeeded(userId, began)
          return Effect.void
        }),
        briefly
      )
    })

  /** Whether a list of somebody else can be read after that; who wants to know at the same time, asks together. */
  const isReading = (other: string, since: number) =>
    Effect.suspend(() => (last.began > since ? Effect.succeed(true) : isReadable(other))).pipe(one.withPermits(1))

  const assertReading = (other: string, doubt: Doubt, left = tries): Asked<void> =>
    Effect.flatMap(isReading(other, doubt.turn), (isUp) => {
      if (isUp) return Effect.void
      if (left === 1) return Effect.fail(doubt.error)
      // What becomes of one user may become of a second one.
      return assertReading(another(doubt.user.userId) ?? other, doubt, left - 1)
    })

  /** Asks a user again, in turns with somebody else, until it is sure. */
  const judge = Effect.fnUntraced(function* (
    other: string,
    first: Doubt
  ): Effect.fn.Return<Sink.Outcome, Conversations.ListError, ZimClient.ZimClient> {
    const { user } = first
    yield* assertReading(other, first)
    for (let count = 0, setbacks = 0; ;) {
      const result = yield* settle(user, briefly(read(user.userId, pageSize)))
      if (result._tag !== "Doubt") return result
      if (yield* isReading(other, result.turn)) {
        if (++count === strikes) return failedOf(user, result.error)
      } else {
        if (++setbacks === mostSetbacks) return yield* Effect.fail(result.error)
        yield* assertReading(other, result)
      }
    }
  })

  /** Nobody has been read yet: it goes on for a while, but not where it takes long. */
  const findWitness = Effect.fnUntraced(function* ({ error, user }: Doubt, took: number) {
    if (took < longSilence && waiting.length < mostUnread) return
    const other = another(user.userId)
    if (other !== undefined && (yield* isReadable(other))) return
    return yield* Effect.fail(error)
  })

  return {
    read: Effect.fnUntraced(function* (task): Effect.fn.Return<
      ReadonlyArray<Sink.Outcome>,
      Conversations.ListError,
      ZimClient.ZimClient
    > {
      if (task._tag === "Failed") return [task]
      const began = { turn, at: now() }
      const result = yield* settle(task, patiently(read(task.userId, pageSize)))
      if (result._tag !== "Doubt") return [result]
      const { error, ...user } = result
      waiting.push(user)
      trouble = error
      const took = now() - began.at
      const other = witness
      if (other === undefined) {
        yield* findWitness(result, took)
        return []
      }
      const isSilent = last.ended <= began.turn || now() - last.endedAt > took / 2
      if (isSilent) yield* assertReading(other, result)
      if (waiting.length < mostWaiting) return []
      return yield* Effect.forEach(waiting.splice(0, mostWaiting), (user) => judge(other, { ...user, error }), {
        concurrency
      })
    }),
    waiting: Stream.suspend(() => {
      const error = trouble
      const other = witness
      if (error === undefined) return Stream.empty
      if (other === undefined) return Stream.fail(error)
      return Stream.mapEffect(Stream.fromIterable(waiting.splice(0)), (user) => judge(other, { ...user, error }), {
        concurrency,
        unordered: true
      })
    })
  }
}
