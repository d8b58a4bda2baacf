import { Catalog } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import type { DocumentationReading } from "../../DocumentationReading.ts"
import type { World } from "../../World.ts"
import * as Authenticate from "./authenticate.ts"
import type { Cursors } from "../operations/cursors.ts"
import type { Refusal } from "../operations/operationHandler.ts"
import * as ServedOperations from "../operations/servedOperations.ts"
import type { Budgets } from "../quota/budgets.ts"
import type { UsedNonces } from "./usedNonces.ts"
import type * as ReadRequest from "./readRequest.ts"

/** What calls are checked against. */
export interface ServiceData {
  readonly apps: ReadonlyMap<number, World["apps"][number]>
  readonly users: ReadonlyMap<string, World["users"][number]>
  readonly budgets: Budgets
  readonly cursors: Cursors
  readonly nonces: UsedNonces
  readonly reading: DocumentationReading
}

/** What faults change about how a call is processed. */
export interface FaultChanges {
  /** The code that it gets, whatever it asks. */
  readonly code: number | undefined
  readonly shift: number
  readonly largeCursors: boolean
  /** Told when the client goes away while its call waits for its turn. */
  readonly givenUp: () => void
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

/**
 * The checks, in the order that the documentation of `Emulator` gives. `steady` never goes back, `shown` is the service's clock.
 */
export const check = Effect.fnUntraced(function* (
  { body, query }: ReadRequest.Received,
  data: ServiceData,
  changes: FaultChanges,
  facts: Facts,
  steady: number,
  shown: number
): Effect.fn.Return<object, Refusal> {
  const action = query["Action"]
  if (action === undefined || action === "") return yield* refuse(100000006, "Action is missing or empty")
  if (typeof action !== "string" || !isKnown(action)) return yield* refuse(100000007, "there is no such Action")
  const signed = yield* Authenticate.decode(query)
  const appId = signed.AppId
  const seconds = Math.floor(shown / 1000)
  facts.signatureAge = seconds - signed.Timestamp
  const app = data.apps.get(appId)
  if (app === undefined) return yield* refuse(100000001, "there is no app with this AppId")
  yield* Authenticate.verify(signed, app, data.apps, shown)
  const uses = data.nonces.use(appId, signed.SignatureNonce, signed.Timestamp, seconds)
  if (uses > 1) {
    facts.nonceReused = true
    facts.nonceUses = uses
    if (data.reading.nonceReuse === "Reject") {
      return yield* refuse(100000005, `nonce reused ${uses === 2 ? "once" : `${uses - 1} times`}`)
    }
  }
  if (changes.code !== undefined) return yield* refuse(changes.code, "a fault asked for it")
  const { admitted, delay } = data.budgets.take(app, action, steady)
  if (!admitted) return yield* refuse(660300005, "over the quota")
  if (delay > 0) yield* Effect.onInterrupt(Effect.sleep(delay), () => Effect.sync(changes.givenUp))
  if ("problem" in body) return yield* refuse(body.code, body.problem)
  const handler = ServedOperations.byAction.get(action)
  if (handler === undefined) return yield* refuse(100000007, "sent as documented, but the emulator does not serve it")
  return yield* Effect.fromResult(
    handler.answer(body.json, {
      appId,
      reading: data.reading,
      cursors: data.cursors,
      user: (userId) => data.users.get(userId),
      shift: changes.shift,
      largeCursors: changes.largeCursors
    })
  )
})
