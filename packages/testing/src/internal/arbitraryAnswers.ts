/** Answers on the wire to draw, right ones and broken ones. */
import { type Conversation, WireJson } from "@effect-zim/protocol"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as ArbitraryScenarios from "./arbitraryScenarios.ts"
import * as InWords from "./textForPeople.ts"

/** So much of a text is printed. */
const shown = 400

const shorten = (text: string): string =>
  text.length <= shown ? text : `${text.slice(0, shown)}... (${text.length} characters)`

/** The text of an answer, and the page that it says. */
export class Answer extends InWords.InWords {
  /** The body. */
  readonly text: string
  /** What the body's list holds. */
  readonly conversations: ReadonlyArray<Conversation.Wire>
  /** The digits of `Next`. */
  readonly next: string

  constructor(text: string, conversations: ReadonlyArray<Conversation.Wire>, next: string) {
    super()
    this.text = text
    this.conversations = conversations
    this.next = next
  }

  override toString(): string {
    return shorten(this.text)
  }
}

/** The text of an answer that is none, and why. */
export class BrokenAnswer extends InWords.InWords {
  /** The body. */
  readonly text: string
  /** What is wrong with it. */
  readonly problem: string

  constructor(text: string, problem: string) {
    super()
    this.text = text
    this.problem = problem
  }

  override toString(): string {
    return `${this.problem}: ${shorten(this.text)}`
  }
}

/** A string is a number, its digits written bare. */
const Digits = Schema.Literals([
  "0",
  "1",
  "-7",
  "9007199254740993",
  "971503777289036701",
  "123456789012345678901234567890"
])

const Page = Schema.Struct({
  code: Schema.Literals([0, 0, "0"]),
  message: Schema.Literals(["success", "", "null", "absent", 5]),
  requestId: Schema.Literals(["343649807833778782", "absent", "null", 7]),
  total: Schema.Literals(["count", "count", "absent", "null"]),
  emptyList: Schema.Literals(["empty", "null", "absent"]),
  next: Digits,
  more: Schema.Literals(["nothing", "field", "object"]),
  space: Schema.Literals(["", " ", "\n"]),
  length: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 })),
  steps: ArbitraryScenarios.User.fields.steps
})

type Page = typeof Page.Type

const bare = (digits: string): number | bigint =>
  Number.isSafeInteger(Number(digits)) ? Number(digits) : BigInt(digits)

const extras = { nothing: {}, field: { Unheard: "of" }, object: { Nested: { deep: [1, { deeper: null }] } } }

/** A field that may be there, null or absent. */
const spelled = (spelling: string | number, value: unknown = spelling): unknown =>
  spelling === "absent" ? undefined : spelling === "null" ? null : value

const fieldsOf = (page: Page): Record<string, unknown> => {
  const list = ArbitraryScenarios.conversations(page.length, page.steps)
  return {
    Code: page.code,
    Message: spelled(page.message),
    RequestId: spelled(page.requestId),
    TotalCount: spelled(page.total, list.length),
    Next: bare(page.next),
    List: list.length === 0 ? spelled(page.emptyList, list) : list,
    ...extras[page.more]
  }
}

const textOf = (page: Page, fields: Record<string, unknown>): string =>
  `${page.space}${WireJson.stringify(fields).replaceAll(/,"/g, `,${page.space}"`)}${page.space}`

export const answer: Arbitrary.Arbitrary<Answer> = Arbitrary.map(
  Arbitrary.schema(Page),
  (page) =>
    new Answer(textOf(page, fieldsOf(page)), ArbitraryScenarios.conversations(page.length, page.steps), page.next)
)

const wrongFields = {
  "Code is missing": { Code: undefined },
  "Code is null": { Code: null },
  "Code is a text": { Code: "success" },
  "Code is a fraction": { Code: 0.5 },
  "Code is a boolean": { Code: false },
  "Next is missing": { Next: undefined },
  "Next is null": { Next: null },
  "Next is a text": { Next: "12" },
  "Next is a fraction": { Next: 1.5 },
  "Next is a list": { Next: [0] },
  "List is a text": { List: "[]" },
  "List is an object": { List: {} },
  "List holds null": { List: [null] },
  "an entry has no ConvId": { List: [{ ConvType: 2, UpdateTime: 1 }] },
  "an entry's ConvId is a number": { List: [{ ConvId: 7, ConvType: 2, UpdateTime: 1 }] },
  "an entry has no UpdateTime": { List: [{ ConvId: "7", ConvType: 2 }] },
  "an entry's UpdateTime is a text": { List: [{ ConvId: "7", UpdateTime: "1" }] },
  "an entry's UpdateTime is no date": { List: [{ ConvId: "7", UpdateTime: 8.64e15 + 2 }] },
  "an entry's ConvType is a text": { List: [{ ConvId: "7", ConvType: "2", UpdateTime: 1 }] },
  "TotalCount is a text": { TotalCount: "3" },
  "the answer counts conversations but has no List": { TotalCount: 3, List: undefined }
} as const

const wrongTexts = {
  "nothing at all": "",
  "white space": " \n",
  "a page of HTML": "<!doctype html><html><body>502 Bad Gateway</body></html>",
  "a number": "0",
  null: "null",
  "a list": "[]",
  "a text": `"success"`,
  "an empty object": "{}",
  "brackets without end": "[".repeat(20_000),
  "NUL characters": "\0\0\0\0",
  "half a surrogate": `{"Code":0,"Next":0,"List":[{"ConvId":"\ud800","UpdateTime":`,
  "two answers": `{"Code":0,"Next":0,"List":[]}{"Code":0,"Next":0,"List":[]}`,
  "a comment": `{"Code":0,"Next":0,"List":[]} // done`,
  "single quotes": `{'Code':0,'Next':0,'List':[]}`,
  "an integer of 400 digits": `{"Code":0,"Next":${"9".repeat(400)},"List":[]}`
} as const

const Breakage = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("field"), which: Schema.Literals(Struct.keys(wrongFields)) }),
  Schema.Struct({ kind: Schema.Literal("text"), which: Schema.Literals(Struct.keys(wrongTexts)) }),
  Schema.Struct({ kind: Schema.Literal("cut"), at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 99 })) })
])

export const broken: Arbitrary.Arbitrary<BrokenAnswer> = Arbitrary.map(
  Arbitrary.schema(Schema.Struct({ page: Page, breakage: Breakage })),
  ({ breakage, page }) => {
    switch (breakage.kind) {
      case "field":
        return new BrokenAnswer(textOf(page, { ...fieldsOf(page), ...wrongFields[breakage.which] }), breakage.which)
      case "text":
        return new BrokenAnswer(wrongTexts[breakage.which], breakage.which)
      case "cut": {
        // Never at the end: what is left out then may be white space only.
        const whole = textOf(page, fieldsOf(page)).trimEnd()
        return new BrokenAnswer(whole.slice(0, Math.floor((whole.length * breakage.at) / 100)), "cut off")
      }
    }
  }
)
