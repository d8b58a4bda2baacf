import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Random from "effect/Random"
import * as Result from "effect/Result"
import { ConnectionLost } from "../Exchange.ts"
import type { Reply, Request } from "../Exchange.ts"
import type { Call } from "../Fault.ts"
import { check } from "./check.ts"
import type { Books, Facts } from "./check.ts"
import type { Happening, Interpreter } from "./faults/interpreter.ts"
import type { Refusal } from "./handler.ts"
import type { Log } from "./log.ts"
import * as Receive from "./receive.ts"
import type { Answer } from "./replies.ts"
import type { Steady } from "./steady.ts"

/** All that answering a call needs and changes. */
export interface Desk {
  readonly books: Books
  readonly faults: Interpreter
  readonly log: Log
  readonly random: Random.Random
  readonly write: (answer: Answer) => Reply
  readonly steady: Steady
  /** What the service's clock shows at a time of Effect's. */
  readonly shown: (now: number) => number
  calls: number
}

const wrongPath: Refusal = { code: 100000000, reason: "the path is not /" }
const wrongMethod: Refusal = { code: 2, reason: "the method is not POST" }

const unknown = {
  appId: undefined,
  action: "",
  userId: undefined,
  limit: undefined,
  cursorGiven: false,
  page: undefined,
  faults: [],
  nonceReused: false,
  signatureAge: undefined
}

const refuseOutright = (desk: Desk, index: number, time: number, status: number, { code, reason }: Refusal): Reply => {
  desk.log.record({ index, time, ...unknown, code, reason, status })
  return desk.write({ status, index, shown: desk.shown(time), code, payload: {} })
}

const pageOf = (desk: Desk, { appId, description }: Receive.Received): number | undefined => {
  const { cursor, userId } = description
  if (cursor === "0") return 1
  if (appId === undefined || userId === undefined || cursor === undefined) return undefined
  return desk.books.cursors.find(appId, userId, cursor)?.page
}

/** The `Next` that faults ask for, in place of the right one. */
const nextOf = (desk: Desk, happening: Happening, { appId, page = 1, userId }: Call): object => {
  const next = happening.next(page, (page) =>
    appId === undefined || userId === undefined
      ? undefined
      : desk.books.cursors.issue({ appId, userId, page, edge: undefined })
  )
  return next === undefined ? {} : { Next: next }
}

/** Answers one request. */
export const handle = Effect.fnUntraced(function* (
  desk: Desk,
  request: Request
): Effect.fn.Return<Reply, ConnectionLost> {
  const clock = yield* Clock.Clock
  const index = ++desk.calls
  const arrival = clock.currentTimeMillisUnsafe()
  const end = request.target.indexOf("?")
  if ((end < 0 ? request.target : request.target.slice(0, end)) !== "/") {
    return refuseOutright(desk, index, arrival, 404, wrongPath)
  }
  if (request.method !== "POST") {
    const refused = refuseOutright(desk, index, arrival, 405, wrongMethod)
    return { ...refused, headers: { ...refused.headers, allow: "POST" } }
  }

  const received = Receive.receive(request)
  const page = pageOf(desk, received)
  const call = Receive.callOf(received, { index, time: arrival, page })
  const happening = desk.faults.happening(call)

  const delay = happening.delay("request", desk.random)
  if (delay > 0) yield* Effect.sleep(delay)

  const now = clock.currentTimeMillisUnsafe()
  const facts: Facts = { nonceReused: false, signatureAge: undefined }
  const note = (code: number | undefined, reason: string | undefined, status: number | undefined): void =>
    desk.log.record({
      index,
      time: now,
      appId: call.appId,
      action: call.action,
      userId: call.userId,
      limit: call.limit,
      cursorGiven: call.cursor !== undefined && call.cursor !== "0",
      page,
      code,
      reason,
      status,
      faults: happening.names,
      ...facts
    })

  if (happening.find("connectionReset") !== undefined) {
    note(undefined, undefined, undefined)
    return yield* new ConnectionLost()
  }
  if (happening.find("hang") !== undefined) {
    note(undefined, undefined, undefined)
    return yield* Effect.never
  }

  const forced = happening.find("returnCode")
  const meddling = {
    // A call that waits in a leaky bucket has been counted, also when its client goes away.
    givenUp: () => note(undefined, "the client went away in the queue", undefined),
    code: forced?.code,
    shift: happening.shift,
    largeCursors: happening.find("largeCursors") !== undefined
  }
  const result = yield* Effect.result(check(received, desk.books, meddling, facts, desk.steady(clock), desk.shown(now)))
  const code = Result.isSuccess(result) ? 0 : result.failure.code
  const answer = happening.rewrite(
    desk.write({
      status: 200,
      index,
      shown: desk.shown(clock.currentTimeMillisUnsafe()),
      code,
      message: code === forced?.code ? forced.message : undefined,
      payload: Result.isSuccess(result) ? { ...result.success, ...nextOf(desk, happening, call) } : {}
    })
  )
  const lost = happening.find("answerLost") !== undefined
  note(code, Result.isSuccess(result) ? undefined : result.failure.reason, lost ? undefined : answer.status)

  const wait = happening.delay("answer", desk.random)
  if (wait > 0) yield* Effect.sleep(wait)
  return lost ? yield* new ConnectionLost() : answer
})
