/** Whether a call is answered as it asks: the checks, in the order that the documentation of `Emulator` gives. */
import { Catalog } from "@effect-zim/protocol"
import { Signature } from "@effect-zim/signing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { App } from "../../World.ts"
import type { Budgets } from "../budgets.ts"
import type { Happening } from "../faults/faultInterpreter.ts"
import type { HandlerContext, Refusal } from "../operations/operationHandler.ts"
import * as ServedOperations from "../operations/servedOperations.ts"
import { RecentMap } from "../recentMap.ts"
import type { Received } from "./readRequest.ts"

/** What calls are checked against. */
export interface ServiceData extends Pick<HandlerContext, "cursors" | "reading" | "users"> {
  readonly apps: ReadonlyMap<number, App>
  readonly budgets: Budgets
  readonly nonces: UsedNonces
}

/** What is found out while a call is checked, whatever becomes of it. */
export interface Facts {
  nonceReused: boolean
  nonceUses?: number
  signatureAge: number | undefined
}

const refuse = (code: number, reason: string): Effect.Effect<never, Refusal> => Effect.fail({ code, reason })

/** What is documented has to be sent as documented, whether it is served or not. */
const isKnown = (action: string): boolean => ServedOperations.byAction.has(action) || Catalog.operations.has(action)

/** The codes of a parameter that is absent and of one that is there but wrong. */
const codes = {
  AppId: { Missing: 100000001, Malformed: 100000001 },
  Timestamp: { Missing: 100000002, Malformed: 100000003 },
  SignatureNonce: { Missing: 100000008, Malformed: 100000008 },
  Signature: { Missing: 100000009, Malformed: 100000009 },
  SignatureVersion: { Missing: 100000013, Malformed: 100000014 }
} as const

/** The codes of parameters that say something else than they should. */
const refused = { UnsupportedVersion: 100000014, Expired: 100000004, Wrong: 100000005 }

const codeOf = (reason: typeof Signature.Reason.Type): number =>
  "parameter" in reason ? codes[reason.parameter][reason._tag] : refused[reason._tag]

/** Whether the signature would be right under these changes. */
const wouldVerify = (signed: Signature.SignedParameters, app: App, signature: string): boolean =>
  Signature.compute({
    appId: signed.AppId,
    nonce: signed.SignatureNonce,
    serverSecret: app.serverSecret,
    timestamp: signed.Timestamp
  }) === signature

/** What is probably wrong with a wrong signature. Names no secret. */
const diagnose = (signed: Signature.SignedParameters, app: App, apps: Iterable<App>): string => {
  if (wouldVerify(signed, app, signed.Signature.toLowerCase()))
    return "the signature is right, but not in small letters"
  for (const other of apps) {
    if (wouldVerify(signed, other, signed.Signature))
      return `secret does not match: it is the one of AppId ${other.appId}`
  }
  return "secret does not match, or AppId, SignatureNonce and Timestamp were not sent as they were signed"
}

/** How long a signature is good on either side of its timestamp, in seconds. */
const windowSeconds = 600

/** The nonces that each app has used, for as long as their signatures are good. They never leave this class. */
export class UsedNonces {
  /** So many are remembered, so that memory stays flat. */
  readonly #used = new RecentMap<{ readonly timestamp: number; readonly times: number }>(100_000)

  /** Remembers the nonce of a valid signature; how often it has been used now. `now` in Unix seconds. */
  use(appId: number, nonce: string, timestamp: number, now: number): number {
    const key = `${appId}/${nonce}`
    const before = this.#used.get(key)
    const isGood = before !== undefined && before.timestamp + windowSeconds >= now
    const times = isGood ? before.times + 1 : 1
    // Until the last of its signatures is no longer good.
    this.#used.set(key, { timestamp: isGood ? Math.max(timestamp, before.timestamp) : timestamp, times })
    return times
  }
}

/** `shown` is what the service's clock shows. */
export const check = Effect.fnUntraced(function* (
  { body, query }: Received,
  data: ServiceData,
  happening: Happening,
  facts: Facts,
  shown: number
): Effect.fn.Return<object, Refusal> {
  const action = query["Action"]
  if (action === undefined || action === "") return yield* refuse(100000006, "Action is missing or empty")
  if (typeof action !== "string" || !isKnown(action)) return yield* refuse(100000007, "there is no such Action")
  const signed = yield* Effect.catch(Signature.decode(query), ({ message, reason }) => refuse(codeOf(reason), message))
  const appId = signed.AppId
  const seconds = Math.floor(shown / 1000)
  facts.signatureAge = seconds - signed.Timestamp
  const app = data.apps.get(appId)
  if (app === undefined) return yield* refuse(100000001, "there is no app with this AppId")
  yield* Effect.catch(
    Signature.verify({ appId, serverSecret: app.serverSecret, parameters: signed, now: shown }),
    ({ message, reason }) =>
      refuse(codeOf(reason), reason._tag === "Wrong" ? diagnose(signed, app, data.apps.values()) : message)
  )
  const uses = data.nonces.use(appId, signed.SignatureNonce, signed.Timestamp, seconds)
  if (uses > 1) {
    facts.nonceReused = true
    facts.nonceUses = uses
    if (data.reading.nonceReuse === "Reject") {
      return yield* refuse(100000005, `nonce reused ${uses === 2 ? "once" : `${uses - 1} times`}`)
    }
  }
  const forced = happening.find("returnCode")
  if (forced !== undefined) return yield* refuse(forced.code, "a fault asked for it")
  const { admitted, delay } = data.budgets.take(app, action, yield* Clock.Clock)
  if (!admitted) return yield* refuse(660300005, "over the quota")
  if (delay > 0) yield* Effect.sleep(delay)
  if ("problem" in body) return yield* refuse(body.code, body.problem)
  const handler = ServedOperations.byAction.get(action)
  if (handler === undefined) return yield* refuse(100000007, "sent as documented, but the emulator does not serve it")
  const largeCursors = happening.find("largeCursors") !== undefined
  return yield* Effect.fromResult(handler.answer(body.json, { ...data, appId, shift: happening.shift, largeCursors }))
})
