/**
 * The service, emulated: one HTTP request in, one answer out.
 *
 * It is as strict as the documentation. A request is checked in this order, and answered with the code of the first
 * thing that is wrong, always with HTTP status 200:
 *
 * 1. `Action`: 100000006 left out or empty, 100000007 not documented (the case of the letters counts).
 * 2. `AppId` 100000001 (left out, malformed or unknown), `Timestamp` 100000002 and 100000003, `SignatureNonce` 100000008,
 *    `Signature` 100000009, `SignatureVersion` 100000013 and 100000014.
 * 3. Authentication: 100000004 when the timestamp is more than ten minutes off, 100000005 when the signature is wrong.
 * 4. Quota: 660300005.
 * 5. Body: 100000012 when it is no JSON, 660000012 for a user id of more than 32 bytes, 660000002 for any other field that
 *    is wrong or missing. Of a GET, 2 when it has one, or a parameter comes twice that is no list (`UserId[]`).
 * 6. User: 660500002 when not registered; then 660000002 for a `Next` that this user's list was not answered with.
 *
 * Another path than `/` gets HTTP status 404 (with code 100000000), another method than the operation's 405 (with code 2):
 * `POST`, but `GET` for 20 of the documented ones. Of these 71 it serves `QueryConversationList`; any other is checked up to
 * step 5, and then gets 100000007: it was sent as documented.
 *
 * A cursor stands for the last entry of its page, by time and id, not for a number of entries: as in a real list, what
 * changes while a list is read may occur twice or not at all, and everything else occurs once.
 *
 * Time comes from Effect's `Clock`, so `TestClock` moves it. The quota counts by its monotonic time: setting this
 * machine's clock, forward or back, changes nothing for it.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as DocumentationReading from "./DocumentationReading.ts"
import type { Fault } from "./Fault.ts"
import type { ConnectionLost, Reply, Request } from "./HttpExchange.ts"
import { Budgets } from "./internal/budgets.ts"
import * as FaultInterpreter from "./internal/faults/faultInterpreter.ts"
import { inRange } from "./internal/inRange.ts"
import { Cursors } from "./internal/operations/cursors.ts"
import * as ServedOperations from "./internal/operations/servedOperations.ts"
import * as AnswerRequest from "./internal/requests/answerRequest.ts"
import { UsedNonces } from "./internal/requests/checkRequest.ts"
import * as WriteReply from "./internal/requests/writeReply.ts"
import * as Random from "./internal/seededRandom.ts"
import type { Entry } from "./Journal.ts"
import * as ServiceClock from "./ServiceClock.ts"
import * as ServiceQuota from "./ServiceQuota.ts"
import type { App, User, World } from "./World.ts"
import * as WorldChange from "./WorldChange.ts"

/**
 * Something that can be looked at and changed while the emulator runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting<A> {
  readonly get: Effect.Effect<A>
  readonly set: (value: A) => Effect.Effect<void>
  readonly update: (f: (value: A) => A) => Effect.Effect<void>
}

/**
 * How an emulator starts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly world: World
  /** Default: 20 calls in any second, per app. */
  readonly quota?: ServiceQuota.ServiceQuota | undefined
  /** Default none. */
  readonly faults?: ReadonlyArray<Fault> | undefined
  /** Which readings to take where the documentation is silent; default {@link DocumentationReading.standard}. */
  readonly reading?: Partial<DocumentationReading.DocumentationReading> | undefined
  /** How the service's clock goes; default right, by Effect's `Clock`. */
  readonly clock?: ServiceClock.ServiceClock | undefined
  /** The same as a `clock` that is ahead of Effect's by so much; negative for behind. */
  readonly clockOffset?: Duration.Input | undefined
  /** Cursors, request ids and faults are drawn from it; default `"emulator"`. */
  readonly seed?: number | string | undefined
  /** How many of the latest calls the journal keeps; default 100,000. Dies with a `RangeError` below 0. */
  readonly journalCapacity?: number | undefined
}

/**
 * All settings at one moment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snapshot {
  readonly world: World
  readonly faults: ReadonlyArray<Fault>
  readonly quota: ServiceQuota.ServiceQuota
  readonly reading: DocumentationReading.DocumentationReading
  readonly clock: ServiceClock.ServiceClock
}

/**
 * The service, emulated: see {@link layer}.
 *
 * @example
 * ```ts
 * import { Emulator, Fault, World } from "@effect-zim/emulator"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* Emulator.Emulator
 *   yield* emulator.faults.set([Fault.answerLost.pipe(Fault.when(Fault.nth(3)))])
 *   yield* emulator.world.update(World.removeConversation({ ConvId: "group-7", ConvType: 2 }))
 *   return yield* emulator.journal.entries
 * }).pipe(Effect.provide(Emulator.layer({ world: World.generate({ seed: 1, users: 10 }) })))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Emulator extends Context.Service<
  Emulator,
  {
    /** Answers one request. Fails where a fault closes the connection before the answer. */
    readonly handle: (request: Request) => Effect.Effect<Reply, ConnectionLost>
    /** Apps, users and conversations. */
    readonly world: Setting<World>
    /** Setting it starts all counts and draws anew. */
    readonly faults: Setting<ReadonlyArray<Fault>>
    /** Setting it starts counting anew. */
    readonly quota: Setting<ServiceQuota.ServiceQuota>
    readonly reading: Setting<DocumentationReading.DocumentationReading>
    /** How the service's clock goes. The quota does not feel it. */
    readonly clock: Setting<ServiceClock.ServiceClock> & {
      /** What the service's clock shows, in milliseconds since the epoch. */
      readonly now: Effect.Effect<number>
      /** Somebody sets it forward by so much; back, where it is negative. */
      readonly step: (by: Duration.Input) => Effect.Effect<void>
    }
    /** How far the service's clock is ahead. Setting it gives a clock that is skewed by so much. */
    readonly clockOffset: Setting<Duration.Duration>
    /** What the quota's meters show: one per app, or per app and action. */
    readonly gauges: Effect.Effect<ReadonlyArray<ServiceQuota.Gauge>>
    readonly journal: {
      /** The latest calls, in the order in which they were answered. */
      readonly entries: Effect.Effect<ReadonlyArray<Entry>>
      /** The calls from now on. A reader that falls thousands behind loses the oldest. */
      readonly live: Stream.Stream<Entry>
      readonly clear: Effect.Effect<void>
    }
    /** Something happens in the world. */
    readonly change: (change: WorldChange.WorldChange) => Effect.Effect<void, WorldChange.ChangeRefused>
    readonly snapshot: Effect.Effect<Snapshot>
    /** Sets all that a snapshot holds. The journal stays, and so do the cursors that were given out. */
    readonly restore: (snapshot: Snapshot) => Effect.Effect<void>
    /** Starts again from the options: settings, journal, cursors, nonces, request ids, all that is drawn. */
    readonly reset: Effect.Effect<void>
  }
>()("@effect-zim/emulator/Emulator") {}

const initialOf = ({ clock, clockOffset, faults, quota, reading, world }: Options): Snapshot => ({
  world,
  faults: faults ?? [],
  quota: quota ?? ServiceQuota.sliding(),
  reading: { ...DocumentationReading.standard, ...reading },
  clock: clock ?? (clockOffset === undefined ? ServiceClock.real : ServiceClock.skewed(clockOffset))
})

/** A setting; `onChange` is told each value, the first one too. */
const makeSetting = <A>(initial: A, onChange: (value: A) => void): Setting<A> => {
  let current = initial
  onChange(initial)
  const update = (f: (value: A) => A): Effect.Effect<void> =>
    Effect.sync(() => {
      current = f(current)
      onChange(current)
    })
  return { get: Effect.sync(() => current), set: (value) => update(() => value), update }
}

/** A reader of the live journal that falls behind this far loses the oldest. */
const backlog = 4096

/** The latest calls, and those to come. */
const makeJournal = (capacity: number) =>
  Effect.map(PubSub.sliding<Entry>(backlog), (news) => {
    let entries: Array<Entry> = []
    const latest = () => entries.slice(Math.max(0, entries.length - capacity))
    return {
      record: (entry: Entry): void => {
        entries.push(entry)
        if (entries.length > 2 * capacity) entries = latest()
        // When it is full, only the effect makes room for it; it never waits.
        if (!PubSub.publishUnsafe(news, entry)) Effect.runSync(PubSub.publish(news, entry))
      },
      entries: Effect.sync(latest),
      live: Stream.fromPubSub(news),
      clear: Effect.sync(() => {
        entries = []
      })
    }
  })

/** A clock that is told its moment of setting. */
const makeClock = (initial: ServiceClock.ServiceClock, now: number) => {
  let current = ServiceClock.start(initial, now, now)
  const shown = (now: number): number => ServiceClock.read(current, now)
  const update = (f: (clock: ServiceClock.ServiceClock) => ServiceClock.ServiceClock): Effect.Effect<void> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      current = ServiceClock.start(f(current), now, shown(now))
    })
  return {
    shown,
    get: Effect.sync(() => current),
    set: (clock: ServiceClock.ServiceClock) => update(() => clock),
    update,
    now: Effect.map(Clock.currentTimeMillis, shown),
    step: (by: Duration.Input) => update((clock) => ServiceClock.step(clock, by))
  }
}

const offsetOf = (clock: Emulator["Service"]["clock"]): Setting<Duration.Duration> => {
  const get = Effect.zipWith(clock.now, Clock.currentTimeMillis, (shown, now) => Duration.millis(shown - now))
  const set = (offset: Duration.Duration): Effect.Effect<void> => clock.set(ServiceClock.skewed(offset))
  return { get, set, update: (f) => Effect.flatMap(get, (offset) => set(f(offset))) }
}

/**
 * Starts an emulator. {@link layer} is the same as a layer.
 *
 * @example
 * ```ts
 * import { Emulator, World } from "@effect-zim/emulator"
 * import { Effect } from "effect"
 *
 * const calls = Effect.gen(function* () {
 *   const emulator = yield* Emulator.make({ world: World.generate({ seed: 1, users: 10 }) })
 *   return yield* emulator.journal.entries
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (options: Options) => Effect.Effect<Emulator["Service"]> = Effect.fnUntraced(function* (options) {
  const seed = String(options.seed ?? "emulator")
  const capacity = options.journalCapacity ?? 100_000
  inRange("the emulator's journalCapacity", capacity, capacity >= 0, "a number of calls, 0 or more")
  const { record, ...journal } = yield* makeJournal(capacity)
  const initial = initialOf(options)
  const clock = makeClock(initial.clock, yield* Clock.currentTimeMillis)

  const budgets = new Budgets(yield* Clock.Clock)
  const fresh = () => ({
    calls: 0,
    cursors: new Cursors(`${seed}/cursors`),
    nonces: new UsedNonces(),
    random: Random.seeded(`${seed}/requests`),
    write: WriteReply.writer(`${seed}/ids`)
  })
  const state = {
    apps: new Map<number, App>(),
    users: new Map<string, User>(),
    budgets,
    record,
    happening: FaultInterpreter.make([], seed),
    reading: initial.reading,
    shown: clock.shown,
    ...fresh()
  }

  const world = makeSetting(initial.world, ({ apps, users }) => {
    state.apps = new Map(apps.map((app) => [app.appId, app]))
    state.users = new Map(users.map((user) => [user.userId, user]))
  })
  const quota = makeSetting(initial.quota, (value) => budgets.set(value))
  const faults = makeSetting(initial.faults, (value) => {
    state.happening = FaultInterpreter.make(value, `${seed}/faults`)
  })
  const reading = makeSetting(initial.reading, (value) => {
    state.reading = value
  })

  const restore = (snapshot: Snapshot): Effect.Effect<void> =>
    Effect.all([
      world.set(snapshot.world),
      faults.set(snapshot.faults),
      quota.set(snapshot.quota),
      reading.set(snapshot.reading),
      clock.set(snapshot.clock)
    ])

  return {
    handle: (request) => AnswerRequest.answer(state, request),
    world,
    faults,
    quota,
    reading,
    clock,
    clockOffset: offsetOf(clock),
    gauges: Effect.map(Clock.Clock, (now) =>
      budgets.gauges(state.apps.values(), [...ServedOperations.byAction.keys()], now)
    ),
    journal,
    change: (change) =>
      Effect.flatMap(Effect.all([world.get, clock.now]), ([before, now]) =>
        Result.match(WorldChange.apply(before, change, now), { onFailure: Effect.fail, onSuccess: world.set })
      ),
    snapshot: Effect.all({
      world: world.get,
      faults: faults.get,
      quota: quota.get,
      reading: reading.get,
      clock: clock.get
    }),
    restore,
    reset: Effect.andThen(
      journal.clear,
      Effect.suspend(() => {
        Object.assign(state, fresh())
        return restore(initial)
      })
    )
  }
})

/**
 * An emulator as a layer. Mount it with `EmulatorClient.layer` (in the same process, without sockets) or with
 * `EmulatorServer.layer` (on a loopback port).
 *
 * @example
 * ```ts
 * import { Emulator, Fault, World } from "@effect-zim/emulator"
 *
 * const layer = Emulator.layer({
 *   world: World.generate({ seed: 1, users: 10 }),
 *   faults: [Fault.times(Fault.connectionReset, 2)]
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Emulator> => Layer.effect(Emulator, make(options))
