/** From the text of an answer to conversations, or to what is wrong with it. */
import { Operation, QueryConversationList } from "@effect-zim/protocol"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as z from "zod"
import * as Contestant from "../Contestant.ts"
import * as Measure from "../Measure.ts"
import * as Results from "../Results.ts"
import * as SampleAnswers from "../SampleAnswers.ts"
import type { Suite } from "../Suite.ts"

/** What everybody makes of an answer, whatever their own types: a page, or a return code, or a complaint. */
type Answer =
  | { readonly next: number | bigint | string; readonly list: ReadonlyArray<Entry> }
  | { readonly code: number }
  | { readonly complaint: string }

/** What peers make of a return code. */
class ZimError extends Error {
  readonly code: number
  constructor(code: number, message: string | undefined) {
    super(`${code} ${message}`)
    this.code = code
  }
}

interface Entry {
  readonly id: string
  readonly type: number
  readonly millis: number
}

/** A complaint counts as the same if it says where the wrong value is. */
const comparable = (answer: Answer): unknown =>
  "complaint" in answer
    ? { complainsAboutTheRightField: /400\W*UpdateTime/.test(answer.complaint) }
    : "list" in answer
      ? { next: String(answer.next), list: answer.list.map(({ id, millis, type }) => ({ id, millis, type })) }
      : { code: answer.code }

const toEntry = (entry: { ConvId: string; ConvType?: number | null | undefined; UpdateTime: number }): Entry => ({
  id: entry.ConvId,
  type: entry.ConvType ?? 0,
  millis: entry.UpdateTime
})

// --- By hand: the checks that the schema has, written out.

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const checkByHand = (value: unknown): Answer => {
  if (!isRecord(value) || !Number.isSafeInteger(value["Code"])) return { complaint: "no Code" }
  if (value["Code"] !== 0) return new ZimError(Number(value["Code"]), String(value["Message"]))
  const { List: list, Next: next, TotalCount: total } = value
  if (typeof next !== "bigint" && (typeof next !== "number" || !Number.isSafeInteger(next))) {
    return { complaint: "Next" }
  }
  if (total !== undefined && !Number.isSafeInteger(total)) return { complaint: "TotalCount" }
  if (!Array.isArray(list)) return { complaint: "List" }
  const found: Array<Entry> = []
  for (let index = 0; index < list.length; index++) {
    const entry: unknown = list[index]
    if (!isRecord(entry)) return { complaint: `List[${index}]` }
    const { ConvId: id, ConvType: type, UpdateTime: millis } = entry
    if (typeof id !== "string") return { complaint: `List[${index}].ConvId` }
    if (type !== undefined && (typeof type !== "number" || !Number.isSafeInteger(type))) {
      return { complaint: `List[${index}].ConvType` }
    }
    if (typeof millis !== "number" || !Number.isSafeInteger(millis)) {
      return { complaint: `List[${index}].UpdateTime` }
    }
    found.push({ id, type: type ?? 0, millis })
  }
  return { next, list: found }
}

const byHand = (text: string): Answer => checkByHand(JSON.parse(text))

/** Integers as they were sent: the third argument, which has their text, is new in JavaScript. */
const exactly = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && context?.source !== undefined && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? BigInt(context.source)
    : value

const byHandWithReviver = (text: string): Answer => checkByHand(JSON.parse(text, exactly))

// --- zod 4

const zodEnvelope = z.object({ Code: z.int(), Message: z.string().optional(), RequestId: z.string().optional() })
const zodPage = z.object({
  TotalCount: z.int().nullish(),
  Next: z.int(),
  List: z.array(z.object({ ConvId: z.string(), ConvType: z.int().nullish(), UpdateTime: z.int() }))
})

const byZod = (text: string) => {
  const json: unknown = JSON.parse(text)
  const envelope = zodEnvelope.safeParse(json)
  if (!envelope.success) return { complaint: z.prettifyError(envelope.error) }
  if (envelope.data.Code !== 0) return new ZimError(envelope.data.Code, envelope.data.Message)
  const page = zodPage.safeParse(json)
  return page.success ? page.data : { complaint: z.prettifyError(page.error) }
}

// --- Effect Schema as its guide shows it, and with plain structs.

class EffectConversation extends Schema.Class<EffectConversation>("Conversation")({
  ConvId: Schema.String,
  ConvType: Schema.optional(Schema.NullOr(Schema.Int)),
  UpdateTime: Schema.Int
}) {}

const bySchema = (entry: Schema.Codec<typeof EffectConversation.Encoded>) => {
  const decodeEnvelope = Schema.decodeUnknownResult(
    Schema.fromJsonString(
      Schema.Struct({
        Code: Schema.Int,
        Message: Schema.optional(Schema.String),
        RequestId: Schema.optional(Schema.String),
        TotalCount: Schema.optional(Schema.NullOr(Schema.Int)),
        Next: Schema.optional(Schema.Int),
        List: Schema.optional(Schema.Array(entry))
      })
    )
  )
  return (text: string) => {
    const answer = decodeEnvelope(text)
    if (Result.isFailure(answer)) return { complaint: answer.failure.message }
    const { Code: code, List, Message, Next } = answer.success
    return code === 0 ? { Next: Next ?? 0, List: List ?? [] } : new ZimError(code, Message)
  }
}

const ofFields = (
  answer:
    | { readonly code: number }
    | { readonly complaint: string }
    | { readonly Next: number; readonly List: ReadonlyArray<Parameters<typeof toEntry>[0]> }
): Answer => ("List" in answer ? { next: answer.Next, list: answer.List.map(toEntry) } : answer)

// --- Ours: what the client does with the text of an answer.

const { operation } = QueryConversationList
const request = { ...Effect.runSync(operation.make({ userId: "user-42" })) }

export const readAnswer = (text: string) => {
  const answer = Operation.decodeResponse(operation, text)
  if (Result.isFailure(answer)) return { complaint: answer.failure._tag }
  const { code, message, payload: read, requestId } = answer.success
  if (code !== 0) {
    const call = {
      action: operation.action,
      attempts: 1,
      elapsed: Duration.zero,
      code,
      requestId,
      vendorMessage: message
    }
    return Operation.failure(operation, call, request)
  }
  const payload = read()
  if (Result.isFailure(payload)) return { complaint: payload.failure.message }
  const page = operation.interpret(payload.success, request, {
    text,
    requestId: undefined,
    attempts: 1,
    elapsed: Duration.zero
  })
  return Result.isFailure(page) ? { complaint: page.failure } : page.success
}

const ofPage = (answer: ReturnType<typeof readAnswer>): Answer => {
  if ("complaint" in answer) return answer
  if ("code" in answer) return { code: answer.code }
  return {
    next: answer.next._tag === "Some" ? answer.next.value : 0,
    list: answer.conversations.map((one) => ({ id: one.id, type: one.typeCode, millis: one.updatedAtMillis }))
  }
}

/** The same, and every date made: what a lazy date saves those who do not look at it. */
const readAnswerAndDates = (text: string) => {
  const answer = readAnswer(text)
  if ("conversations" in answer) {
    for (const conversation of answer.conversations) lastDate = conversation.updatedAt
  }
  return answer
}

let lastDate: DateTime.Utc | undefined
export const keepDates = (): DateTime.Utc | undefined => lastDate

const limit = "JSON.parse alone"
const ours = "effect-zim"

const contestants = (text: string) => {
  const effectClass = bySchema(EffectConversation)
  const effectStruct = bySchema(Schema.Struct(EffectConversation.fields))
  const peer = { role: "peer" } as const
  return [
    Contestant.sync(
      // It checks nothing: what it stands for is worked out outside of the measurement.
      { name: limit, role: "limit", comparable: (value) => comparable(byHand(JSON.stringify(value))) },
      (): unknown => JSON.parse(text)
    ),
    Contestant.sync({ ...peer, name: "checked by hand", comparable }, () => byHand(text)),
    Contestant.sync({ ...peer, name: "zod 4", comparable: (found) => comparable(ofFields(found)) }, () => byZod(text)),
    Contestant.sync(
      { ...peer, name: "Effect Schema, Struct", comparable: (found) => comparable(ofFields(found)) },
      () => effectStruct(text)
    ),
    Contestant.sync({ ...peer, name: "Effect Schema, Class", comparable: (found) => comparable(ofFields(found)) }, () =>
      effectClass(text)
    ),
    Contestant.sync({ role: "ours", name: ours, comparable: (found) => comparable(ofPage(found)) }, () =>
      readAnswer(text)
    ),
    Contestant.sync(
      { role: "ours", name: `${ours}, and all dates`, comparable: (found) => comparable(ofPage(found)) },
      () => readAnswerAndDates(text)
    )
  ]
}

/** Of those above, the ones that can keep such an integer, and how one would do it by hand. */
const exactContestants = (text: string) => [
  Contestant.sync({ name: limit, role: "limit", comparable: () => comparable(byHandWithReviver(text)) }, (): unknown =>
    JSON.parse(text)
  ),
  Contestant.sync({ name: "checked by hand, with a reviver", role: "peer", comparable }, () => byHandWithReviver(text)),
  Contestant.sync({ role: "ours", name: ours, comparable: (found) => comparable(ofPage(found)) }, () =>
    readAnswer(text)
  )
]

const entries = SampleAnswers.entries(500)
const texts = {
  page: SampleAnswers.page(entries, 1_708_254_395),
  small: SampleAnswers.page(entries.slice(0, 10)),
  exact: SampleAnswers.page(entries, "@").replace('"@"', "971503777289036701"),
  failure: SampleAnswers.failure,
  invalid: SampleAnswers.page(entries.map((entry, index) => (index === 400 ? { ...entry, UpdateTime: "soon" } : entry)))
}

const table = (title: string, text: string, goals: boolean) =>
  Effect.gen(function* () {
    yield* Measure.announce(title)
    const series = yield* Measure.sideBySide(contestants(text))
    return Results.costTable({
      title,
      series,
      unit: "answer",
      isCharted: goals,
      goals: goals
        ? [
            Results.atMost("A page of 500 against JSON.parse", series, { name: ours, base: limit }, 1.15),
            Results.atMost("A page of 500 against zod 4", series, { name: ours, base: "zod 4" }, 1)
          ]
        : []
    })
  })

const exact = Effect.gen(function* () {
  const title = "A page of 500, the next one at 971503777289036701"
  yield* Measure.announce(title)
  return Results.costTable({
    title,
    about: `The service may use integers beyond 2^53, which JSON.parse rounds. zod's \`int\` and Effect's \`Int\` refuse what
was rounded, so they are not here.`,
    series: yield* Measure.sideBySide(exactContestants(texts.exact)),
    unit: "answer",
    isCharted: false
  })
})

export const decode: Suite = {
  name: "decode",
  title: "From the text of an answer to checked conversations",
  about: `JSON.parse is included for everybody; alone it checks nothing, and is the limit. Everybody else makes sure of the same
fields. Ours also finds integers that JSON.parse would round, and makes \`Conversation\`s, whose dates are made when they
are first read: the last row reads all of them. Wrong input must be refused with a text that names the wrong field.`,
  run: Effect.all([
    table("A page of 500", texts.page, true),
    table("A page of 10", texts.small, false),
    exact,
    table("An error answer", texts.failure, false),
    table("A page of 500, one entry of it wrong", texts.invalid, false)
  ])
}
