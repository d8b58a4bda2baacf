/** The calls that read a list, with policies for a job of hours. */
import { CircuitBreaker, Conversations, RetryPolicy, Timeout, type ZimClient } from "@effect-zim/client"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** What asks the service. */
export type Asked<A, E = never> = Effect.Effect<A, Conversations.ListError | E, ZimClient.ZimClient>

/** The time that a call has, unless another is provided. */
export const deadline = Duration.minutes(30)

/** How long a call has by which it is found out whose trouble it is. */
const patience = Duration.minutes(2)

/** A list that changes while it is read is read again, so many times. */
const rereads = 2

const snapshot = (userId: string, pageSize: number, left = rereads): Asked<Conversations.Snapshot> =>
  Effect.flatMap(Conversations.snapshot(userId, { pageSize }), (list) =>
    list.verdict === "ChangedWhileReading" && left > 0 ? snapshot(userId, pageSize, left - 1) : Effect.succeed(list)
  )

/** Provides the policies of an export, where the caller has provided none, and at the most this long a deadline. */
const withPolicies = <A, E, R>(self: Effect.Effect<A, E, R>, longest?: Duration.Duration): Effect.Effect<A, E, R> =>
  Effect.contextWith((around: Context.Context<never>) => {
    const given = Context.getOrUndefined(around, Timeout.Deadline) ?? deadline
    return self.pipe(
      Effect.provideService(
        RetryPolicy.Current,
        Context.getOrUndefined(around, RetryPolicy.Current) ?? RetryPolicy.patient
      ),
      Effect.provideService(Timeout.Deadline, longest === undefined ? given : Duration.min(given, longest))
    )
  })

/** The same, but not for half an hour, and although the calls of others have failed. */
const briefly = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, CircuitBreaker.CircuitBreaker>> =>
  Effect.flatMap(Timeout.Attempt, (attempt) =>
    withPolicies(Effect.provide(self, CircuitBreaker.layerNone), Duration.max(patience, attempt))
  )

/** A user's list, asked for patiently. */
export const readList = (userId: string, pageSize: number) => withPolicies(snapshot(userId, pageSize))

/** A user's list, asked for once more. */
export const readListAgain = (userId: string, pageSize: number) => briefly(snapshot(userId, pageSize))

/** The beginning of a user's list, to see that it can be read. */
export const probeList = (userId: string, pageSize: number) => briefly(Conversations.page(userId, { pageSize }))
