import type { Emulator, HttpExchange } from "@effect-zim/emulator"
import { type Conversation, PageSize, QueryConversationList, WireJson } from "@effect-zim/protocol"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { FaultSchedule } from "../FaultSchedule.ts"

/** A page that left the service whole. */
export interface Served {
  readonly userId: string
  /** Its number in the list, from 1. */
  readonly page: number
  readonly conversations: ReadonlyArray<Conversation.Wire>
  /** The most conversations it could have had. */
  readonly limit: number
  /** Whether the list goes on. */
  readonly hasNext: boolean
}

/** What a spy between client and service has seen. */
export class Seen {
  readonly served: Array<Served> = []
  /** Signatures and nonces, each with what it is. */
  readonly credentials = new Map<string, "signature" | "nonce">()
  /** How many calls came. */
  calls = 0
  /** Done when there were too many. */
  readonly tooMany = Deferred.makeUnsafe<void>()
}

const Asked = Schema.Struct({
  FromUserId: Schema.String,
  Limit: Schema.optional(Schema.Int),
  Next: Schema.optional(WireJson.WireInteger)
})

const parse = Option.liftThrowable(WireJson.parse)
const decodeAsked = Schema.decodeUnknownOption(Asked)
const isSuccess = Schema.is(Schema.Struct({ Code: Schema.Literal(0), ...QueryConversationList.Payload.fields }))

/** How many calls a scenario may make, so that a pipeline that calls for ever is found out. */
export const maximumCalls = 10_000

/**
 * Puts itself before an emulator: shortens the pages that a schedule asks for, and notes what is served.
 */
export const on = (
  emulator: Emulator.Emulator["Service"],
  schedule: FaultSchedule | undefined,
  seen: Seen | undefined
): Emulator.Emulator["Service"] => {
  const calls = new Map<string, number>()
  const pages = new Map<string, number>()

  const note = (asked: typeof Asked.Type, text: string): void => {
    const answer = Option.getOrUndefined(parse(text))
    if (seen === undefined || !isSuccess(answer)) return
    const page = pages.get(`${asked.FromUserId}/${asked.Next ?? 0}`) ?? 1
    pages.set(`${asked.FromUserId}/${answer.Next}`, page + 1)
    seen.served.push({
      userId: asked.FromUserId,
      page,
      conversations: answer.List ?? [],
      limit: PageSize.correct(asked.Limit ?? PageSize.serviceDefault),
      hasNext: answer.Next !== 0
    })
  }

  const noting = (asked: typeof Asked.Type, reply: HttpExchange.Reply): HttpExchange.Reply => {
    if (typeof reply.body === "string") {
      note(asked, reply.body)
      return reply
    }
    // A character may come in two pieces.
    const decoder = new TextDecoder()
    let text = ""
    const body = reply.body.pipe(
      Stream.tap((bytes) => Effect.sync(() => void (text += decoder.decode(bytes, { stream: true })))),
      Stream.onEnd(Effect.sync(() => note(asked, text)))
    )
    return { ...reply, body }
  }

  return {
    ...emulator,
    handle: (request) =>
      Effect.suspend(() => {
        if (seen !== undefined && ++seen.calls > maximumCalls) {
          return Effect.andThen(Deferred.succeed(seen.tooMany, undefined), Effect.never)
        }
        const query = new URLSearchParams(request.target.slice(request.target.indexOf("?") + 1))
        seen?.credentials.set(query.get("Signature") ?? "", "signature")
        seen?.credentials.set(query.get("SignatureNonce") ?? "", "nonce")
        const body = Option.flatMap(Option.fromUndefinedOr(request.body), parse)
        const asked = Option.getOrUndefined(Option.flatMap(body, decodeAsked))
        if (asked === undefined) return emulator.handle(request)
        const nth = (calls.get(asked.FromUserId) ?? 0) + 1
        calls.set(asked.FromUserId, nth)
        const short = schedule?.isShort(asked.FromUserId, nth) === true
        const taken = short ? { ...asked, Limit: 1 } : asked
        // The signature does not cover the body.
        const sent = short ? { ...request, body: WireJson.stringify(taken) } : request
        return Effect.map(emulator.handle(sent), (reply) => noting(taken, reply))
      })
  }
}
