/**
 * A ready client in a test: a world, its faults, and time that passes by itself.
 */
import { CircuitBreaker, Quota, RetryBudget, ServerClock, ZimClient } from "@effect-zim/client"
import { Emulator, EmulatorClient, type Fault, type World } from "@effect-zim/emulator"
import { SignatureNonce } from "@effect-zim/signing"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { FaultSchedule } from "./FaultSchedule.ts"
import * as EmulatorSpy from "./internal/emulatorSpy.ts"
import * as VirtualTime from "./internal/virtualTime.ts"
import type { Scenario } from "./Scenario.ts"

/**
 * What a pipeline under test can ask for: the client, the HTTP client it goes through (for a pipeline that makes its own
 * clients), and the emulator.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = ZimClient.ZimClient | HttpClient.HttpClient | Emulator.Emulator

/**
 * The emulator's options that a test may want, beside the world and its faults.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Omit<Emulator.Options, "world" | "faults"> {
  /** @internal */
  readonly spy?: EmulatorSpy.Seen | undefined
}

const givenOr = <I, A>(key: Context.Key<I, A>, make: Effect.Effect<A>): Layer.Layer<I> =>
  Layer.effect(
    key,
    Effect.flatMap(Effect.serviceOption(key), Option.match({ onNone: () => make, onSome: Effect.succeed }))
  )

/** Each emulator is a service of its own, although clients share what they were not given. */
const ownPolicies = Layer.mergeAll(
  givenOr(Quota.Quota, Quota.make()),
  givenOr(RetryBudget.RetryBudget, RetryBudget.make()),
  givenOr(ServerClock.ServerClock, ServerClock.make),
  givenOr(CircuitBreaker.CircuitBreaker, CircuitBreaker.make())
)

/**
 * A client, and the emulator that answers it in the same process. The client is of the world's first app; the policies
 * in its context are the defaults, as in production. Nonces, request ids, cursors and faults come from the seed.
 *
 * Dies where the world has no app: there is nobody to sign for.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Fault, World } from "@effect-zim/emulator"
 * import { ZimTest } from "@effect-zim/testing"
 * import { Effect } from "effect"
 *
 * const world = World.generate({ seed: 1, users: 10 })
 * const busy = Fault.returnCode(1).pipe(Fault.when(Fault.nth(1)))
 *
 * const test = Conversations.snapshot("user-1").pipe(
 *   ZimTest.inVirtualTime(),
 *   Effect.provide(ZimTest.layer(world, [busy]))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  world: World.World,
  faults: ReadonlyArray<Fault.Fault> | FaultSchedule = [],
  options: Options = {}
): Layer.Layer<Services> => {
  const schedule = faults instanceof FaultSchedule ? faults : undefined
  const emulator = Layer.effect(
    Emulator.Emulator,
    Effect.map(
      Emulator.make({ ...options, world, faults: faults instanceof FaultSchedule ? faults.faults : faults }),
      (emulator) => EmulatorSpy.on(emulator, schedule, options.spy)
    )
  )
  const [app] = world.apps
  const client =
    app === undefined
      ? Layer.effect(ZimClient.ZimClient, Effect.die(new Error("the world has no app for a client to sign with")))
      : Layer.orDie(Layer.provide(ZimClient.layer(app), ownPolicies))
  return client.pipe(
    Layer.provideMerge(EmulatorClient.layer),
    Layer.provideMerge(emulator),
    Layer.provideMerge(SignatureNonce.layerSeeded(options.seed ?? "ZimTest"))
  )
}

/**
 * How long an effect may take in {@link inVirtualTime}.
 *
 * @category models
 * @since 0.1.0
 */
export interface VirtualTimeOptions {
  /** More virtual time than this counts as never ending. Default: 24 hours. */
  readonly limit?: Duration.Input | undefined
}

/**
 * Runs an effect to its end while the test's clock goes on by itself: whenever everybody sleeps, it jumps to the moment
 * when the first one wakes. Afterwards it stands at the moment when the effect ended. No `TestClock.adjust` is needed,
 * and an hour takes milliseconds.
 *
 * Dies where the effect never ends: beyond the limit, or because it waits for something that is not time and does not
 * happen. It waits for fibers and promises; sockets, files and real timers it does not know of, so time goes on while an
 * effect waits for one.
 *
 * @example
 * ```ts
 * import { ZimTest } from "@effect-zim/testing"
 * import { Effect } from "effect"
 * import { TestClock } from "effect/testing"
 *
 * const anHour = Effect.sleep("1 hour").pipe(ZimTest.inVirtualTime(), Effect.provide(TestClock.layer()))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const inVirtualTime: {
  (options?: VirtualTimeOptions): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: VirtualTimeOptions): Effect.Effect<A, E, R>
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: VirtualTimeOptions): Effect.Effect<A, E, R> =>
    VirtualTime.run(Effect.exit(self), Duration.fromInputUnsafe(options?.limit ?? "24 hours")).pipe(
      Effect.orDie,
      Effect.flatten
    )
)

/**
 * When the clock of {@link run} starts: the beginning of 2026, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const start = 1_767_225_600_000

/**
 * Runs an effect that needs a client, all in one: a clock of its own that starts with the year 2026 and goes on by
 * itself, seeded randomness, the client and the emulator. Needs no `it.effect`.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { World } from "@effect-zim/emulator"
 * import { ZimTest } from "@effect-zim/testing"
 * import { Effect } from "effect"
 *
 * const world = World.generate({ seed: 1, users: 10 })
 * const snapshot = await Effect.runPromise(ZimTest.run(Conversations.snapshot("user-1"), world))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E>(
  effect: Effect.Effect<A, E, Services>,
  world: World.World,
  faults?: ReadonlyArray<Fault.Fault> | FaultSchedule,
  options?: Options & VirtualTimeOptions
): Effect.Effect<A, E> =>
  Effect.andThen(
    TestClock.setTime(start),
    inVirtualTime(Effect.provide(effect, layer(world, faults, options)), options)
  ).pipe(Random.withSeed(String(options?.seed ?? "ZimTest")), Effect.provide(TestClock.layer()))

/**
 * Runs an effect in a scenario: its world, its faults, its reading of the documentation. For a pipeline that no law fits,
 * as one over many users: the world tells what it should have given.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, ZimTest } from "@effect-zim/testing"
 * import { assert, it } from "@effect/vitest"
 * import { Effect, Stream } from "effect"
 *
 * it.effect.prop("reads everybody", [Arbitraries.scenario()], ([scenario]) =>
 *   Effect.gen(function* () {
 *     const users = Stream.fromIterable(scenario.world.userIds)
 *     const results = yield* ZimTest.runScenario(Stream.runCollect(Conversations.forUsers(users)), scenario)
 *     assert.lengthOf(results, scenario.world.userIds.length)
 *   })
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const runScenario = <A, E>(
  effect: Effect.Effect<A, E, Services>,
  { faults, reading, seed, world }: Scenario,
  options?: VirtualTimeOptions
): Effect.Effect<A, E> => run(effect, world, faults, { reading, seed, ...options })
