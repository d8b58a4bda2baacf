/**
 * What a property can be tested with: worlds, users, conversations, faults, answers on the wire. All of them are Effect's
 * own `Arbitrary`, so they go into `it.effect.prop` and `Arbitrary.checkEffect`. What fails is made smaller and prints as
 * a person would write it down.
 *
 * A check looks at 100 smaller candidates; with `{ arbitrary: { maxShrinks: 1000 } }` it finds the smallest more often.
 */
import type { DocumentationReading } from "@effect-zim/emulator"
import { type Conversation, Cursor, UserId as ProtocolUserId } from "@effect-zim/protocol"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { FaultSchedule } from "./FaultSchedule.ts"
import * as ArbitraryAnswers from "./internal/arbitraryAnswers.ts"
import * as ArbitraryScenarios from "./internal/arbitraryScenarios.ts"
import type { Options } from "./internal/arbitraryScenarios.ts"
import type { Scenario } from "./Scenario.ts"
import type { TestWorld } from "./TestWorld.ts"

export type { Options }

/**
 * Worlds with 1 to 3 users, registered or not, whose lists have any length from 0 to beyond 1000, often around the usual
 * page sizes. Times are equal now and then, types known or not, and one id may name a group and a peer.
 *
 * @example
 * ```ts
 * import { Arbitraries } from "@effect-zim/testing"
 * import { Arbitrary, Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const [world] = yield* Arbitrary.sampleEffect(Arbitraries.world(), { seed: 1 })
 *   return String(world)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const world = (options?: Omit<Options, "troubles" | "times">): Arbitrary.Arbitrary<TestWorld> =>
  Arbitrary.map(scenario({ ...options, troubles: 0 }), (scenario) => scenario.world)

/**
 * Worlds with faults that end, and any reading of what the documentation leaves open: what a pipeline should get through
 * without a loss. Some troubles last longer than the patience of the client's standard retry policy.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Arbitraries, Laws } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.effect.prop("loses nothing", [Arbitraries.scenario()], ([scenario]) =>
 *   Laws.complete(scenario, (userId) => Conversations.stream(userId))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const scenario = (options?: Options): Arbitrary.Arbitrary<Scenario> =>
  Arbitrary.map(ArbitraryScenarios.parts(options, true), ArbitraryScenarios.scenario)

/**
 * Like {@link scenario}, with troubles that may last for ever, cursors that lead in a circle, and redirects: a pipeline
 * may fail on these, but must not hang, die or pass off a part as the whole.
 *
 * @example
 * ```ts
 * import { Arbitraries } from "@effect-zim/testing"
 *
 * const scenarios = Arbitraries.hostileScenario({ users: 2, troubles: 4 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const hostileScenario = (options?: Options): Arbitrary.Arbitrary<Scenario> =>
  Arbitrary.map(ArbitraryScenarios.parts(options, false), ArbitraryScenarios.scenario)

/**
 * Schedules of faults for the users `u1`, `u2` and `u3` that end.
 *
 * @example
 * ```ts
 * import { Arbitraries } from "@effect-zim/testing"
 *
 * const schedules = Arbitraries.faults({ troubles: 2 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const faults = (options?: Pick<Options, "troubles" | "times">): Arbitrary.Arbitrary<FaultSchedule> =>
  Arbitrary.map(scenarioOfThree(options, true), (scenario) => scenario.faults)

/**
 * Schedules of faults for the users `u1`, `u2` and `u3` that may last for ever.
 *
 * @example
 * ```ts
 * import { Arbitraries } from "@effect-zim/testing"
 *
 * const schedules = Arbitraries.anyFaults({ troubles: 2 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const anyFaults = (options?: Pick<Options, "troubles" | "times">): Arbitrary.Arbitrary<FaultSchedule> =>
  Arbitrary.map(scenarioOfThree(options, false), (scenario) => scenario.faults)

const threeUsers = ["u1", "u2", "u3"].map(() => ({ registered: true, suffix: "", length: 0, steps: [] }))

const scenarioOfThree = (options: Options | undefined, ending: boolean): Arbitrary.Arbitrary<Scenario> =>
  Arbitrary.map(ArbitraryScenarios.parts(options, ending), (parts) =>
    ArbitraryScenarios.scenario({ ...parts, users: threeUsers })
  )

/**
 * Readings of what the documentation leaves open.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { World } from "@effect-zim/emulator"
 * import { Arbitraries, ZimTest } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 * import { Effect } from "effect"
 *
 * const world = World.generate({ seed: 1, users: 1 })
 *
 * it.effect.prop("reads the list, whatever is left open", [Arbitraries.reading], ([reading]) =>
 *   Conversations.snapshot("user-1").pipe(
 *     Effect.map(({ verdict }) => verdict === "Complete"),
 *     ZimTest.inVirtualTime(),
 *     Effect.provide(ZimTest.layer(world, [], { reading }))
 *   )
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const reading: Arbitrary.Arbitrary<DocumentationReading.DocumentationReading> = Arbitrary.schema(
  ArbitraryScenarios.AnyReading
)

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&()+-:;<=.>?@[]^_ {}|~"

const index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: alphabet.length - 1 }))

/**
 * User ids of 1 to 32 characters, of the whole legal alphabet. They shrink to `a`.
 *
 * @example
 * ```ts
 * import { UserId } from "@effect-zim/protocol"
 * import { Arbitraries } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.prop("is a user id", [Arbitraries.userId], ([userId]) => UserId.is(userId))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const userId: Arbitrary.Arbitrary<ProtocolUserId.UserId> = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(index), { minLength: 1, maxLength: 32 }),
  (indices) => ProtocolUserId.make(indices.map((index) => alphabet.charAt(index)).join(""))
)

/**
 * Lists of conversations as the service keeps them, of any length: each type and id once.
 *
 * @example
 * ```ts
 * import { Arbitraries } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.prop("names each", [Arbitraries.conversations], ([list]) => list.every(({ ConvId }) => ConvId !== ""))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const conversations: Arbitrary.Arbitrary<ReadonlyArray<Conversation.Wire>> = Arbitrary.map(
  Arbitrary.schema(Schema.Struct({ length: ArbitraryScenarios.Length, steps: ArbitraryScenarios.User.fields.steps })),
  ({ length, steps }) => ArbitraryScenarios.conversations(length, steps)
)

const digits = Schema.String.check(Schema.isPattern(/^(?:0|-?[1-9][0-9]{0,40})$/))

/**
 * Cursors: the start, small ones, negative ones, and ones far beyond 2^53.
 *
 * @example
 * ```ts
 * import { Cursor } from "@effect-zim/protocol"
 * import { Arbitraries } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 *
 * it.prop("is a cursor", [Arbitraries.cursor], ([cursor]) => Cursor.is(cursor))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const cursor: Arbitrary.Arbitrary<Cursor.Cursor> = Arbitrary.map(Arbitrary.schema(digits), Cursor.make)

/**
 * Answers on the wire that a client must understand, in every spelling that the documentation allows, with what they
 * say. See {@link ArbitraryAnswers.Answer}.
 *
 * @example
 * ```ts
 * import { Envelope } from "@effect-zim/protocol"
 * import { Arbitraries } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 * import { Result } from "effect"
 *
 * it.prop("is read", [Arbitraries.answer], ([{ text }]) => Result.isSuccess(Envelope.parse(text)))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const answer: Arbitrary.Arbitrary<ArbitraryAnswers.Answer> = ArbitraryAnswers.answer

/**
 * Answers that no client must take for a page: cut off, of the wrong type or shape, or not of this service.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Fault, World } from "@effect-zim/emulator"
 * import { Arbitraries, ZimTest } from "@effect-zim/testing"
 * import { it } from "@effect/vitest"
 * import { Effect } from "effect"
 *
 * const world = World.generate({ seed: 1, users: 1 })
 *
 * it.effect.prop("takes none for a page", [Arbitraries.brokenAnswer], ([answer]) =>
 *   Conversations.page("user-1").pipe(
 *     Effect.match({ onFailure: () => true, onSuccess: () => false }),
 *     ZimTest.inVirtualTime(),
 *     Effect.provide(ZimTest.layer(world, [Fault.rawBody(answer.text)]))
 *   )
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const brokenAnswer: Arbitrary.Arbitrary<ArbitraryAnswers.BrokenAnswer> = ArbitraryAnswers.broken
