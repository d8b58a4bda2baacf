/**
 * The service, emulated: one HTTP request in, one answer out.
 *
 * It is as strict as the documentation. A request is checked in this order, and answered with the code of the first
 * thing that is wrong, always with HTTP status 200:
 *
 * 1. `Action`: 100000006 left out or empty, 100000007 unknown (the case of the letters counts).
 * 2. `AppId` 100000001 (left out, malformed or unknown), `Timestamp` 100000002 and 100000003, `SignatureNonce` 100000008,
 *    `Signature` 100000009, `SignatureVersion` 100000013 and 100000014.
 * 3. Authentication: 100000004 when the timestamp is more than ten minutes off, 100000005 when the signature is wrong.
 * 4. Quota: 660300005.
 * 5. Body: 100000012 when it is no JSON, 660000012 for a user id of more than 32 bytes, 660000002 for any other field that
 *    is wrong or missing.
 * 6. User: 660500002 when not registered; then 660000002 for a `Next` that this user's list was not answered with.
 *
 * Anything but `POST /` gets HTTP status 404 (with code 100000000) or 405 (with code 2).
 *
 * A cursor stands for the last entry of its page, by time and id, not for a number of entries: as in a real list, what
 * changes while a list is read may occur twice or not at all, and everything else occurs once.
 *
 * Time comes from Effect's `Clock`, so `TestClock` moves it.
 */
import { ReturnCode } from "@effect-zim/protocol"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { ConnectionLost } from "./Exchange.ts"
import type { Reply, Request } from "./Exchange.ts"
import type { Call, Fault } from "./Fault.ts"
import type { Action } from "./internal/action.ts"
import * as Authenticate from "./internal/authenticate.ts"
import { Cursors } from "./internal/cursors.ts"
import type { Refusal } from "./internal/handler.ts"
import * as Handlers from "./internal/handlers.ts"
import { Nonces } from "./internal/nonces.ts"
import { print } from "./internal/print.ts"
import * as Random from "./internal/random.ts"
import * as Receive from "./internal/receive.ts"
import type { Entry } from "./Journal.ts"
import * as Quota from "./Quota.ts"
import * as Reading from "./Reading.ts"
import type { World } from "./World.ts"

/**
 * Something that can be looked at and changed while the emulator runs.
 */
export interface Setting<A> {
  readonly get: Effect.Effect<A>
  readonly set: (value: A) => Effect.Effect<void>
  readonly update: (f: (value: A) => A) => Effect.Effect<void>
}

/**
 * How an emulator starts.
 */
export interface Options {
  readonly world: World
  /** Default: 20 calls in any second, per app. */
  readonly quota?: Quota.Quota | undefined
  /** Default none. */
  readonly faults?: ReadonlyArray<Fault> | undefined
  /** Which readings to take where the documentation is silent; default {@link Reading.standard}. */
  readonly reading?: Partial<Reading.Reading> | undefined
  /** How far the service's clock is ahead of Effect's `Clock`; negative for behind, default 0. */
  readonly clockOffset?: Duration.Input | undefined
  /** Cursors, request ids and faults are drawn from it; default `"emulator"`. */
  readonly seed?: number | string | undefined
  /** How many of the latest calls the journal keeps; default 100,000. */
  readonly journalCapacity?: number | undefined
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
    readonly quota: Setting<Quota.Quota>
    readonly reading: Setting<Reading.Reading>
    /** How far the service's clock is ahead. The quota does not feel it. */
    readonly clockOffset: Setting<Duration.Duration>
    readonly journal: {
      /** The latest calls, in the order in which they were answered. */
      readonly entries: Effect.Effect<ReadonlyArray<Entry>>
      readonly clear: Effect.Effect<void>
    }
  }
>()("@effect-zim/emulator/Emulator") {}

const setting = <A>(initial: A, onChange: (value: A) => void): Setting<A> => {
  let current = initial
  onChange(initial)
  const assign = (value: A): void => {
    current = value
    onChange(value)
  }
  return {
    get: Effect.sync(() => current),
    set: (value) => Effect.sync(() => assign(value)),
    update: (f) => Effect.sync(() => assign(f(current)))
  }
}

/** The `Date` header, made once per second. */
const dateHeader = (): ((now: number) => string) => {
  let second = Number.NaN
  let text = ""
  return (now) => {
    const current = Math.floor(now / 1000)
    if (current !== second) {
      second = current
      text = Headers.formatHttpDate(DateTime.makeUnsafe(now))
    }
    return text
  }
}

const messageOf = (code: number): string =>
  code === 0 ? "success" : (ReturnCode.lookup(code)?.meaning ?? "Unknown error")

const wrongPath: Refusal = { code: 100000000, reason: "the path is not /" }
const wrongMethod: Refusal = { code: 2, reason: "the method is not POST" }

const refuse = (code: number, reason: string): Effect.Effect<never, Refusal> => Effect.fail({ code, reason })

/** What is found out while a call is checked, whatever becomes of it. */
interface Facts {
  nonceReused: boolean
  signatureAge: number | undefined
}

type Armed = { readonly fault: Fault; readonly holds: (call: Call) => boolean }

const arm =
  (seed: string) =>
  (fault: Fault, index: number): Armed => {
    const conditions = fault.conditions.map((condition, i) => condition.start(`${seed}/${index}/${i}`))
    return { fault, holds: (call) => conditions.every((holds) => holds(call)) }
  }

const find = <Tag extends Action["_tag"]>(
  faults: ReadonlyArray<Fault>,
  tag: Tag
): Extract<Action, { readonly _tag: Tag }> | undefined => {
  const is = (action: Action): action is Extract<Action, { readonly _tag: Tag }> => action._tag === tag
  return faults.map((fault) => fault.action).find(is)
}

/**
 * Starts an emulator. {@link layer} is the same as a layer.
 */
export const make = (options: Options): Effect.Effect<Emulator["Service"]> =>
  Effect.sync(() => {
    const seed = String(options.seed ?? "emulator")
    const random = Random.seeded(`${seed}/requests`)
    const cursors = new Cursors(`${seed}/cursors`)
    const nonces = new Nonces()
    const date = dateHeader()

    const apps = new Map<number, World["apps"][number]>()
    const users = new Map<string, World["users"][number]>()
    const world = setting(options.world, (value) => {
      apps.clear()
      users.clear()
      for (const app of value.apps) apps.set(app.appId, app)
      for (const user of value.users) users.set(user.userId, user)
    })

    let limits = options.quota ?? Quota.sliding()
    const meters = new Map<string, Quota.Meter>()
    const quota = setting(limits, (value) => {
      limits = value
      meters.clear()
    })
    const admit = (call: { readonly appId: number; readonly action: string }, now: number): boolean => {
      const budget = Quota.budgetOf(limits, call)
      const meter = meters.get(budget) ?? Quota.meter(limits)
      meters.set(budget, meter)
      return meter.admit(now)
    }

    let armed: ReadonlyArray<Armed> = []
    const faults = setting<ReadonlyArray<Fault>>(options.faults ?? [], (value) => {
      armed = value.map(arm(`${seed}/faults`))
    })

    let readings = Reading.standard
    const reading = setting<Reading.Reading>({ ...Reading.standard, ...options.reading }, (value) => {
      readings = value
    })

    let offset = 0
    const clockOffset = setting(Duration.fromInputUnsafe(options.clockOffset ?? 0), (value) => {
      offset = Duration.toMillis(value)
    })

    const capacity = options.journalCapacity ?? 100_000
    let log: Array<Entry> = []
    const record = (entry: Entry): void => {
      log.push(entry)
      if (log.length > 2 * capacity) log = log.slice(-capacity)
    }

    let calls = 0
    const requestPrefix = Random.between(random, 100_000_000, 999_999_999)

    const reply = (
      status: number,
      index: number,
      now: number,
      code: number,
      payload: object,
      message?: string
    ): Reply => ({
      status,
      headers: { "content-type": "application/json; charset=utf-8", date: date(now) },
      body: print({
        Code: code,
        Message: message ?? messageOf(code),
        RequestId: `${requestPrefix}${String(index).padStart(9, "0")}`,
        ...payload
      })
    })

    /** The checks, in the order that the module's documentation gives. */
    const check = Effect.fnUntraced(function* (
      { body, query }: Receive.Received,
      forced: number | undefined,
      facts: Facts,
      now: number
    ): Effect.fn.Return<object, Refusal> {
      const action = query["Action"]
      if (action === undefined || action === "") return yield* refuse(100000006, "Action is missing or empty")
      const handler = typeof action === "string" ? Handlers.byAction.get(action) : undefined
      if (handler === undefined) return yield* refuse(100000007, "there is no such Action")
      const signed = yield* Authenticate.decode(query)
      const appId = signed.AppId
      const seconds = Math.floor((now + offset) / 1000)
      facts.signatureAge = seconds - signed.Timestamp
      yield* Authenticate.verify(signed, apps.get(appId), now + offset)
      facts.nonceReused = nonces.use(appId, signed.SignatureNonce, signed.Timestamp, seconds)
      if (facts.nonceReused && readings.nonceReuse === "Reject") {
        return yield* refuse(100000005, "the nonce has been used before")
      }
      if (forced !== undefined) return yield* refuse(forced, "a fault asked for it")
      if (!admit({ appId, action: handler.action }, now)) return yield* refuse(660300005, "over the quota")
      if ("problem" in body) return yield* refuse(100000012, body.problem)
      return yield* Effect.fromResult(
        handler.answer(body.json, { appId, reading: readings, cursors, user: (userId) => users.get(userId) })
      )
    })

    /** The `Next` that faults ask for, in place of the right one. */
    const nextOf = (happening: ReadonlyArray<Fault>, call: Call): object => {
      const next = find(happening, "NextCursor")
      if (next !== undefined) return { Next: next.next }
      const cycle = find(happening, "CyclingCursor")
      if (cycle === undefined || call.appId === undefined || call.userId === undefined) return {}
      const page = 2 + (((call.page ?? 1) - 1) % cycle.length)
      return { Next: cursors.issue({ appId: call.appId, userId: call.userId, page, edge: undefined }) }
    }

    const latency = (happening: ReadonlyArray<Fault>, on: "request" | "answer"): number =>
      happening.reduce((sum, { action }) => {
        if (action._tag !== "Latency" || action.on !== on) return sum
        const minimum = Duration.toMillis(action.minimum)
        return sum + minimum + random.nextDoubleUnsafe() * (Duration.toMillis(action.maximum) - minimum)
      }, 0)

    const refuseOutright = (index: number, now: number, status: number, { code, reason }: Refusal): Reply => {
      record({
        index,
        time: now,
        appId: undefined,
        action: "",
        userId: undefined,
        limit: undefined,
        cursorGiven: false,
        page: undefined,
        code,
        reason,
        status,
        faults: [],
        nonceReused: false,
        signatureAge: undefined
      })
      return reply(status, index, now + offset, code, {})
    }

    const handle = Effect.fnUntraced(function* (request: Request): Effect.fn.Return<Reply, ConnectionLost> {
      const clock = yield* Clock.Clock
      const index = ++calls
      const arrival = clock.currentTimeMillisUnsafe()
      const end = request.target.indexOf("?")
      if ((end < 0 ? request.target : request.target.slice(0, end)) !== "/") {
        return refuseOutright(index, arrival, 404, wrongPath)
      }
      if (request.method !== "POST") {
        const refused = refuseOutright(index, arrival, 405, wrongMethod)
        return { ...refused, headers: { ...refused.headers, allow: "POST" } }
      }

      const received = Receive.receive(request)
      const { cursor, userId } = received.description
      const page =
        cursor === "0"
          ? 1
          : received.appId === undefined || userId === undefined || cursor === undefined
            ? undefined
            : cursors.find(received.appId, userId, cursor)?.page
      const call = Receive.callOf(received, { index, time: arrival, page })
      const happening = armed.filter(({ holds }) => holds(call)).map(({ fault }) => fault)

      const delay = latency(happening, "request")
      if (delay > 0) yield* Effect.sleep(delay)

      const now = clock.currentTimeMillisUnsafe()
      const facts: Facts = { nonceReused: false, signatureAge: undefined }
      const note = (code: number | undefined, reason: string | undefined, status: number | undefined): void =>
        record({
          index,
          time: now,
          appId: call.appId,
          action: call.action,
          userId: call.userId,
          limit: call.limit,
          cursorGiven: cursor !== undefined && cursor !== "0",
          page,
          code,
          reason,
          status,
          faults: happening.map((fault) => fault.name),
          ...facts
        })

      if (find(happening, "Reset") !== undefined) {
        note(undefined, undefined, undefined)
        return yield* new ConnectionLost()
      }
      if (find(happening, "Hang") !== undefined) {
        note(undefined, undefined, undefined)
        return yield* Effect.never
      }

      const forced = find(happening, "ReturnCode")
      const result = yield* Effect.result(check(received, forced?.code, facts, now))
      const code = Result.isSuccess(result) ? 0 : result.failure.code
      const payload = Result.isSuccess(result) ? { ...result.success, ...nextOf(happening, call) } : {}
      const message = forced !== undefined && code === forced.code ? forced.message : undefined
      const answer = happening.reduce(
        (reply, { action }) => (action._tag === "Rewrite" ? action.change(reply) : reply),
        reply(200, index, now + offset, code, payload, message)
      )
      const lost = find(happening, "AnswerLost") !== undefined
      note(code, Result.isSuccess(result) ? undefined : result.failure.reason, lost ? undefined : answer.status)

      const wait = latency(happening, "answer")
      if (wait > 0) yield* Effect.sleep(wait)
      return lost ? yield* new ConnectionLost() : answer
    })

    return {
      handle,
      world,
      faults,
      quota,
      reading,
      clockOffset,
      journal: {
        entries: Effect.sync(() => log.slice(-capacity)),
        clear: Effect.sync(() => {
          log = []
        })
      }
    }
  })

/**
 * An emulator as a layer. Mount it with `EmulatorClient.layer` (in the same process, without sockets) or with
 * `EmulatorServer.layer` (on a loopback port).
 */
export const layer = (options: Options): Layer.Layer<Emulator> => Layer.effect(Emulator, make(options))
