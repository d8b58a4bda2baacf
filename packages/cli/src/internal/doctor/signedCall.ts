/** One signed call, and what its answer says: of the signature, the service and the quota. */
import { Conversations, Quota, RetryPolicy, ServerClock, Timeout, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { ReturnCode, type ServiceError } from "@effect-zim/protocol"
import * as Array from "effect/Array"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as References from "effect/References"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as ErrorReport from "../../ErrorReport.ts"
import { quotaOptions } from "../flags.ts"
import { plural } from "../quantities.ts"
import { type Finding, type Look, ok, skipped, warning } from "./checklist.ts"

export interface Options {
  /** Who is asked about. */
  readonly userId: string
  /** Whether somebody chose that user, so that it should be there. */
  readonly isExpected: boolean
  /** Calls to make beside the first one. */
  readonly probe: number
  /** Without it, the settings say how many. */
  readonly callsPerSecond: Option.Option<number>
  readonly timeout: Duration.Duration
}

/** What calls are made with. */
export interface Settings extends Pick<ZimClient.Options, "appId" | "serverSecret" | "baseUrl"> {
  readonly quota: ZimClient.Settings["quota"]
}

/** The client that asks, and the time of the latest answer. */
interface Client {
  readonly context: Context.Context<ZimClient.ZimClient>
  readonly clock: ServerClock.ServerClock["Service"]
  sample: ServerClock.Sample | undefined
}

const connect = Effect.fnUntraced(function* ({ quota, ...settings }: Settings, { callsPerSecond, timeout }: Options) {
  const learned = yield* ServerClock.make
  const clock: Client["clock"] = {
    offset: learned.offset,
    observe: (sample) => {
      client.sample = sample
      // That the clock is off is a finding here, not a warning.
      return Effect.provideService(learned.observe(sample), References.MinimumLogLevel, "Error")
    }
  }
  const layer = ZimClient.layer(settings).pipe(
    Layer.provide([
      UndiciHttpClient.layer,
      Quota.layer(quotaOptions(callsPerSecond, quota)),
      Layer.succeed(ServerClock.ServerClock, clock),
      RetryPolicy.layer(RetryPolicy.none),
      Timeout.layer({ attempt: timeout })
    ])
  )
  const client: Client = { context: yield* Layer.build(layer), clock, sample: undefined }
  return client
})

/** What the service answered: a page, or a return code. */
export interface Answer {
  readonly client: Client
  readonly failure: ServiceError.ServiceError | undefined
  readonly options: Options
}

const page = ({ context }: Client, userId: string) =>
  Effect.provideContext(Conversations.page(userId, { pageSize: 1 }), context)

export const ask = Effect.fnUntraced(function* (
  settings: Settings,
  options: Options
): Effect.fn.Return<Finding<Answer>, ErrorReport.Report, Scope.Scope> {
  const client = yield* Effect.mapError(connect(settings, options), ErrorReport.report)
  const [took, result] = yield* Effect.timed(Effect.result(page(client, options.userId)))
  const answered = ok(`the service answered in ${Math.round(Duration.toMillis(took))} ms`)
  if (Result.isSuccess(result)) return { ...answered, value: { client, options, failure: undefined } }
  const failure = result.failure
  switch (failure._tag) {
    case "RequestInvalid":
    case "TransportFailed":
    case "ClientClosed":
    case "AttemptTimedOut":
    case "DeadlineExceeded":
    case "CircuitOpen":
    case "QuotaUnavailable":
    case "ResponseUnreadable":
      return yield* Effect.fail(ErrorReport.report(failure))
    default:
      return { ...answered, value: { client, options, failure } }
  }
})

/** Codes of ZIM itself: the gateway before it has accepted the signature. */
const isBehindGateway = (code: number): boolean => code >= 660_000_000 && ReturnCode.lookup(code) !== undefined

export const lookAtSignature = Effect.fnUntraced(function* ({ client, failure }: Answer) {
  if (failure?._tag === "AuthenticationFailed" || failure?._tag === "SignatureExpired") {
    return yield* Effect.fail(ErrorReport.report(failure))
  }
  if (failure !== undefined && !isBehindGateway(failure.code)) {
    return skipped("not known: the service refused the call before it said")
  }
  const time = (yield* client.clock.offset) === 0 ? "" : ", signed with the service's time"
  return ok(`accepted${time}: app id and secret belong together`)
})

export const lookAtService = ({ failure, options }: Answer): Look => {
  const answers = "ZIM is enabled, QueryConversationList answers"
  if (failure === undefined) return Effect.succeed(ok(answers))
  switch (failure._tag) {
    case "UserNotRegistered": {
      const found = `${answers}; user ${failure.userId} is not registered`
      return Effect.succeed(
        options.isExpected ? warning(found, ErrorReport.report(failure).advice) : ok(`${found}, which was expected`)
      )
    }
    case "RateLimited":
    case "Throttled":
      return Effect.succeed(skipped("not known: the call was one too many"))
    default:
      return Effect.fail(ErrorReport.report(failure))
  }
}

/** Makes calls within the quota until one fails: how many were answered, and with what it ended. */
const probe = Effect.fnUntraced(function* (client: Client, { probe, userId }: Options) {
  let answered = 0
  const call = page(client, userId).pipe(
    Effect.catchTag("UserNotRegistered", () => Effect.void),
    Effect.tap(() => Effect.sync(() => answered++))
  )
  const calls = Effect.forEach(Array.range(1, probe), () => call, { concurrency: 8, discard: true })
  const [took, result] = yield* Effect.timed(Effect.result(calls))
  return { answered, seconds: Duration.toSeconds(took), result }
})

export const lookAtQuota = Effect.fnUntraced(function* ({ client, failure, options }: Answer) {
  if (failure?._tag === "RateLimited" || failure?._tag === "Throttled") {
    return yield* Effect.fail(ErrorReport.report(failure))
  }
  if (options.probe === 0) {
    return ok("the call was not rejected; more calls say more: --probe N")
  }
  // Until the calls of an earlier look have left the quota's window.
  yield* Effect.sleep("1 second")
  const { answered, result, seconds } = yield* probe(client, options)
  const calls = `${plural(answered, "more call")} in ${seconds.toFixed(1)} s`
  if (Result.isFailure(result)) {
    const report = ErrorReport.report(result.failure)
    return yield* Effect.fail({ ...report, problem: `${calls}, then ${report.problem}` })
  }
  // The first second's worth goes out at once: a shorter time has no pace.
  const pace = seconds < 2 ? "" : ` (${(answered / seconds).toFixed(1)}/s)`
  return ok(`${calls}${pace}, none rejected`)
})
