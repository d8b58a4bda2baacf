/** What the policies hand to the client: its attempts, and what happens to its calls. */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Call } from "../Call.ts"
import type * as ServerClock from "../ServerClock.ts"

/**
 * Where requests go: a breaker is for a host, and so is what a quota knows of round trips.
 *
 * @since 0.1.0
 */
export interface Host {
  readonly host: string
}

/**
 * One attempt of a call.
 *
 * @since 0.1.0
 */
export interface Attempt<H> {
  readonly call: Call
  readonly endpoint: H
  /** What to add to this machine's clock, where the request says the time: in milliseconds. */
  readonly clockOffset: number
  /** Whom to tell what the answer says about the time. */
  readonly serverClock: ServerClock.ServerClock["Service"]
}

/**
 * Sees what happens to a call, and may add to it: spans, metrics, logs.
 *
 * @since 0.1.0
 */
export interface Observer<H> {
  /** Around the whole call. */
  readonly call: <A, E extends { readonly _tag: string }>(self: Effect.Effect<A, E>, call: Call) => Effect.Effect<A, E>
  /** A permit of the call: `taken` may not come, `returned` comes in any case. */
  readonly permit: () => { readonly taken: () => void; readonly returned: () => undefined }
  /** Around an attempt, its timeout included. `self` is the attempt, whose request runs in the context that it is given. */
  readonly attempt: <A, E extends { readonly _tag: string }>(
    self: (context: Context.Context<never>) => Effect.Effect<A, E>,
    call: Call,
    endpoint: H,
    waited: Duration.Duration
  ) => Effect.Effect<A, E>
  /** The call is made again, after a delay. */
  readonly retrying: (call: Call, error: { readonly _tag: string }, delay: Duration.Duration) => Effect.Effect<void>
  /** The call is given up. */
  readonly gaveUp: (call: Call, error: { readonly _tag: string }, why: string) => Effect.Effect<void>
}
