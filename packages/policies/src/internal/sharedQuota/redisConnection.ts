/**
 * A connection of the package `redis` whose begin and end wait for nobody: Redis may be away, or hang, at either.
 */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/**
 * What the quota needs of a client of the package `redis` (5 or later): what `createClient` gives has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Client {
  readonly isReady: boolean
  readonly connect: () => Promise<unknown>
  readonly sendCommand: <A>(args: Array<string>) => Promise<A>
  /** Waits for nothing. */
  readonly destroy: () => void
  readonly on: (event: "error" | "ready", listener: (cause?: unknown) => void) => unknown
}

const failed = (cause: unknown) => new Redis.RedisError({ cause })

export const make = Effect.fnUntraced(function* (
  create: () => Client
): Effect.fn.Return<Redis.Redis["Service"], never, Scope.Scope> {
  /** Why there is no connection, as far as that is known. */
  let lost: unknown
  // Not `close`, which waits for answers that may never come: the quota has waited for its own. After it, clients of
  // `redis` 5 refuse to be destroyed, and their sockets keep the process alive.
  const client = yield* Effect.acquireRelease(Effect.sync(create), (client) =>
    Effect.ignore(Effect.try(() => client.destroy()))
  )
  const waiting = new Set<() => void>()
  const know = (cause: unknown): void => {
    lost = cause
    for (const tell of waiting) tell()
    waiting.clear()
  }
  client.on("error", know)
  client.on("ready", () => know(undefined))
  const isKnown = Effect.callback<void>((resume) => {
    const tell = () => resume(Effect.void)
    waiting.add(tell)
    return Effect.sync(() => waiting.delete(tell))
  })

  yield* Effect.tryPromise(() => client.connect()).pipe(
    Effect.tapError((error) => Effect.sync(() => know(error.cause))),
    Effect.retry(Schedule.spaced("1 second")),
    (connecting) => Effect.forkScoped(connecting, { startImmediately: true })
  )
  const unused = failed(new Error("the connection of a quota is for its scripts"))
  // While it tries to connect a client would keep commands back: that there is no connection is said at once.
  const send = <A>(command: string, ...args: ReadonlyArray<string>): Effect.Effect<A, Redis.RedisError> =>
    Effect.suspend(() => {
      if (client.isReady) {
        return Effect.tryPromise({ try: () => client.sendCommand<A>([command, ...args]), catch: failed })
      }
      return lost === undefined ? Effect.andThen(isKnown, send<A>(command, ...args)) : Effect.fail(failed(lost))
    })
  return yield* Redis.make({
    send,
    subscribe: () => Effect.fail(unused),
    connect: Effect.fail(unused)
  })
})
