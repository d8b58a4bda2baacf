/** From a request to its answer: what faults do on the way, and what the journal is told. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Random from "effect/Random"
import * as Result from "effect/Result"
import type { Call } from "../../Fault.ts"
import { ConnectionLost, type Reply, type Request } from "../../HttpExchange.ts"
import type { Entry } from "../../Journal.ts"
import type { Happening } from "../faults/faultInterpreter.ts"
import type { Refusal } from "../operations/operationHandler.ts"
import { check, type Facts, type ServiceData } from "./checkRequest.ts"
import * as ReadRequest from "./readRequest.ts"
import type { Envelope } from "./writeReply.ts"

/** All that answering a call needs and changes. */
export interface ServiceState extends ServiceData {
  readonly happening: (call: Call) => Happening
  readonly record: (entry: Entry) => void
  readonly random: Random.Random
  readonly write: (answer: Envelope) => Reply
  /** What the service's clock shows at a time of Effect's. */
  readonly shown: (now: number) => number
  calls: number
}

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

const refuseOutright = (
  state: ServiceState,
  index: number,
  time: number,
  status: number,
  { code, reason }: Refusal
): Reply => {
  state.record({ index, time, ...unknown, code, reason, status })
  return state.write({ status, index, shown: state.shown(time), code, payload: {} })
}

const pageOf = (state: ServiceState, { appId, cursor, userId }: ReadRequest.Received["said"]): number | undefined => {
  if (cursor === "0") return 1
  if (appId === undefined || userId === undefined || cursor === undefined) return undefined
  return state.cursors.find(appId, userId, cursor)?.page
}

/** The `Next` that faults ask for, in place of the right one. */
const nextOf = (state: ServiceState, happening: Happening, { appId, page = 1, userId }: Call): object => {
  const next = happening.next(page, (page) =>
    appId === undefined || userId === undefined
      ? undefined
      : state.cursors.issue({ appId, userId, page, edge: undefined })
  )
  return next === undefined ? {} : { Next: next }
}

/** Answers one request. */
export const answer = Effect.fnUntraced(function* (
  state: ServiceState,
  request: Request
): Effect.fn.Return<Reply, ConnectionLost> {
  const clock = yield* Clock.Clock
  const index = ++state.calls
  const arrival = clock.currentTimeMillisUnsafe()
  if (request.target !== "/" && !request.target.startsWith("/?")) {
    return refuseOutright(state, index, arrival, 404, { code: 100000000, reason: "the path is not /" })
  }
  const query = ReadRequest.readQuery(request.target)
  const method = ReadRequest.methodFor(query)
  if (request.method !== method) {
    const refused = refuseOutright(state, index, arrival, 405, { code: 2, reason: `the method is not ${method}` })
    return { ...refused, headers: { ...refused.headers, allow: method } }
  }

  const received = ReadRequest.receive(request, query)
  const call: Call = { index, time: arrival, page: pageOf(state, received.said), ...received.said }
  const happening = state.happening(call)

  const delay = happening.delay("request", state.random)
  if (delay > 0) yield* Effect.sleep(delay)

  const now = clock.currentTimeMillisUnsafe()
  const facts: Facts = { nonceReused: false, signatureAge: undefined }
  const note = (code: number | undefined, reason: string | undefined, status: number | undefined): void => {
    const { cursor, ...known } = call
    const cursorGiven = cursor !== undefined && cursor !== "0"
    state.record({ ...known, time: now, cursorGiven, code, reason, status, faults: happening.names, ...facts })
  }

  const isReset = happening.find("connectionReset") !== undefined
  if (isReset || happening.find("hang") !== undefined) {
    note(undefined, undefined, undefined)
    return yield* isReset ? new ConnectionLost() : Effect.never
  }

  const result = yield* check(received, state, happening, facts, state.shown(now)).pipe(
    Effect.result,
    // A call that waits in a leaky bucket has been counted, also when its client goes away.
    Effect.onInterrupt(() => Effect.sync(() => note(undefined, "the client went away in the queue", undefined)))
  )
  const code = Result.isSuccess(result) ? 0 : result.failure.code
  const forced = happening.find("returnCode")
  const answer = happening.rewrite(
    state.write({
      status: 200,
      index,
      shown: state.shown(clock.currentTimeMillisUnsafe()),
      code,
      message: code === forced?.code ? forced.message : undefined,
      payload: Result.isSuccess(result) ? { ...result.success, ...nextOf(state, happening, call) } : {}
    })
  )
  const lost = happening.find("answerLost") !== undefined
  note(code, Result.isSuccess(result) ? undefined : result.failure.reason, lost ? undefined : answer.status)

  const wait = happening.delay("answer", state.random)
  if (wait > 0) yield* Effect.sleep(wait)
  return lost ? yield* new ConnectionLost() : answer
})
