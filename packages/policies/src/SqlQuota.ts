/**
 * A quota that several processes keep together over PostgreSQL, with the promise of the one over Redis: together they
 * never send more than the limit, however the service aligns its windows and however the clocks of the processes differ,
 * unless the latency to its host suddenly drops, or is much higher there than back for one process and not for another.
 * Needs PostgreSQL 12 or later, and a `SqlClient` of it, such as that of `@effect/sql-pg`.
 *
 * This module is an entry point of its own: who does not import it does not load it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import * as Functions from "./internal/sharedQuota/sqlFunctions.ts"
import { problemOf, replyOf, timeoutOf } from "./internal/sharedQuota/store.ts"
import * as Quota from "./Quota.ts"
import * as SharedQuota from "./SharedQuota.ts"

export { provide } from "./Quota.ts"

/**
 * What the store is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoreOptions {
  /**
   * The schema with the two tables and three functions of the quota, whose names begin with `quota_`: letters, digits and
   * underscores. What is missing is made when it is first needed. Default: `quota`.
   */
  readonly schema?: string | undefined
  /**
   * As of the quota. A statement that takes five times as long is cancelled, so that its connection is free again.
   * Default: 1 second.
   */
  readonly timeout?: Duration.Input | undefined
}

/**
 * What a quota over PostgreSQL is made of. All processes of one key must be given the same.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends SharedQuota.Options, StoreOptions {}

/** The wait, the time, and the last rejection: when, and with which spacing. */
const decodeRow = Schema.decodeUnknownEffect(
  Schema.Tuple([
    Schema.Struct({
      wait: Schema.Finite,
      at: Schema.Finite,
      rejected_at: Schema.Finite,
      rejected_spacing: Schema.Finite
    })
  ])
)

const denied = (cause: unknown) => new SharedQuota.StoreUnavailable({ reason: { _tag: "Denied" }, cause })

const schemaOf = (schema = "quota"): string => {
  if (/^[a-z_][a-z0-9_]{0,62}$/i.test(schema)) return schema
  throw new RangeError(`the quota's schema is letters, digits and underscores, 63 at most, not ${schema}`)
}

/** Ends at once where it is interrupted: what a driver does to cancel a statement may take it seconds. */
const leavable = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDetach(self, { startImmediately: true, uninterruptible: false }), (fiber) =>
      Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.sync(() => fiber.interruptUnsafe()))
    )
  )

/** The SQLSTATE of what failed, if PostgreSQL has answered. */
const sqlState = ({ reason: { cause } }: SqlError.SqlError): string | undefined =>
  Predicate.hasProperty(cause, "code") && typeof cause.code === "string" && /^[0-9A-Z]{5}$/.test(cause.code)
    ? cause.code
    : undefined

/**
 * Answers that concern everybody who asks, and pass: a server that takes no writes, starts, ends, or fails, or has no room
 * or no connection left.
 */
const passingState = /^(?:25006|53|55|57|58)/

/** What a failed statement says of the database. */
const reasonOf = (error: SqlError.SqlError): SharedQuota.StoreUnavailable["reason"] => {
  switch (error.reason._tag) {
    case "ConnectionError":
      return { _tag: "NoAnswer" }
    case "DeadlockError":
    case "LockTimeoutError":
    case "SerializationError":
    case "StatementTimeoutError":
      return { _tag: "Refused" }
    default:
      return { _tag: passingState.test(sqlState(error) ?? "") ? "Refused" : "Denied" }
  }
}

/** The schema, a table or a function is not there. */
const isMissing = (error: SqlError.SqlError) => /^(?:3F000|42P01|42883)$/.test(sqlState(error) ?? "")

/** Where transactions are serializable unless they say otherwise, the one that came second is to be tried again. */
const isConflict = ({ reason }: SqlError.SqlError) =>
  reason._tag === "SerializationError" || reason._tag === "DeadlockError"

/**
 * The store: leases in PostgreSQL, each operation one statement, by the clock of its server, and never part of a
 * transaction of the caller's. With a `SqlClient` of another database every call is denied.
 *
 * @example
 * ```ts
 * import * as SharedQuota from "@effect-zim/policies/SharedQuota"
 * import * as SqlQuota from "@effect-zim/policies/SqlQuota"
 * import { Effect } from "effect"
 *
 * const quota = Effect.gen(function* () {
 *   const store = yield* SqlQuota.store({ schema: "staging" })
 *   return yield* SharedQuota.make(store)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const store = (options?: StoreOptions): Effect.Effect<SharedQuota.Store, never, SqlClient.SqlClient> =>
  Effect.map(SqlClient.SqlClient, (client) => {
    const schema = schemaOf(options?.schema)
    const patience = Duration.times(timeoutOf(options?.timeout), 5)
    const sql = client.withoutTransforms()
    const names = Functions.namesIn(schema)
    const late = () =>
      Effect.fail(new SharedQuota.StoreUnavailable({ cause: new Error("PostgreSQL did not answer in time") }))
    const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })

    /** One call of a function, which is made where it is missing. */
    const call = (name: string, parameters: ReadonlyArray<string | number | boolean | null>) => {
      const places = parameters.map((_, i) => `$${i + 1}`)
      const once = sql.unsafe(`SELECT * FROM ${name}(${places.join(", ")})`, parameters)
      const made = Effect.catchIf(once, isMissing, () =>
        Effect.andThen(sql.unsafe(Functions.create(schema)).unprepared, once)
      )
      const called = Effect.retry(made, { while: isConflict, times: 100 }).pipe(
        Effect.mapError(
          (cause) => new SharedQuota.StoreUnavailable({ reason: reasonOf(cause), problem: problemOf(cause), cause })
        ),
        Effect.updateContext((context: Context.Context<never>) => Context.omit(sql.transactionService)(context))
      )
      return isPostgres
        ? Effect.timeoutOrElse(leavable(called), { duration: patience, orElse: late })
        : Effect.fail(denied(new Error("a quota over SQL needs a client of PostgreSQL")))
    }
    const beginning = ({ key, limits }: Pick<SharedQuota.Ask, "key" | "limits">) => [
      key,
      limits.limit,
      limits.window,
      limits.grace
    ]

    return {
      acquire: (ask) =>
        call(names.acquire, [
          ...beginning(ask),
          ask.lease,
          ask.hold,
          ask.allowance,
          ask.spacing,
          ask.isKnown,
          ask.host ?? ""
        ]).pipe(
          Effect.flatMap((rows) => Effect.mapError(decodeRow(rows), denied)),
          Effect.map(([row]) => replyOf(row.wait, row.at, row.rejected_at, row.rejected_spacing))
        ),
      release: (back) =>
        Effect.asVoid(
          call(names.release, [
            ...beginning(back),
            back.lease,
            back.ago,
            back.delay ?? null,
            back.allowance,
            back.rejected?.grantedAt ?? null,
            back.rejected?.spacing ?? null
          ])
        ),
      pause: (spell) => Effect.asVoid(call(names.pause, [...beginning(spell), spell.millis]))
    }
  })

/**
 * A quota over PostgreSQL.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/policies"
 * import * as SqlQuota from "@effect-zim/policies/SqlQuota"
 * import { Effect } from "effect"
 *
 * const underSharedQuota = <A, E, R>(job: Effect.Effect<A, E, R>) =>
 *   Effect.flatMap(SqlQuota.make({ limit: 50 }), (quota) => Quota.provide(job, quota))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: Options) => Effect.flatMap(store(options), (store) => SharedQuota.make(store, options))

/**
 * A quota over PostgreSQL for every client built on this layer. The layer is there at once, whether PostgreSQL answers or
 * not: `whenUnavailable` says what happens until it does. It needs a connection for as long as a statement takes, not
 * while calls wait or are under way.
 *
 * @example
 * ```ts
 * import * as SqlQuota from "@effect-zim/policies/SqlQuota"
 * import * as PgClient from "@effect/sql-pg/PgClient"
 * import { Layer, Redacted } from "effect"
 *
 * // Four processes: each goes on with a quarter of the quota while PostgreSQL is away.
 * const quota = SqlQuota.layer({ whenUnavailable: { share: 1 / 4 } }).pipe(
 *   Layer.provide(PgClient.layer({ url: Redacted.make("postgres://127.0.0.1/app") }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Quota.Quota, never, SqlClient.SqlClient> =>
  Layer.effect(Quota.Quota, make(options))
