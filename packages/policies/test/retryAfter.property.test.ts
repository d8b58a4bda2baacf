/** `Retry-After`, whatever stands in it. */
import { Meaning } from "@effect-zim/policies"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Schema from "effect/Schema"

const hour = 3600
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Two-digit years included, of which nobody knows the century for certain. */
const Second = between(Date.UTC(1971, 0) / 1000, Date.UTC(2049, 0) / 1000)

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

/** The three forms that HTTP has for a date. */
const forms: Record<"today" | "RFC 850" | "asctime", (second: number) => string> = {
  today: (second) => Headers.formatHttpDate(DateTime.makeUnsafe(second * 1000)),
  "RFC 850": (second) => {
    const [, day, month, year, time] = forms.today(second).split(" ")
    return `${days[new Date(second * 1000).getUTCDay()]}, ${day}-${month}-${year?.slice(2)} ${time} GMT`
  },
  asctime: (second) => {
    const [name, day, month, year, time] = forms.today(second).split(" ")
    return `${name?.slice(0, 3)} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`
  }
}
const Form = Schema.Literals(["today", "RFC 850", "asctime"])

/** Seconds, or nothing. */
const secondsOf = (header: string | undefined, answered: Parameters<typeof Meaning.retryAfterOf>[1]) => {
  const wait = Meaning.retryAfterOf(header, answered)
  return wait === undefined ? undefined : Duration.toSeconds(wait)
}
const accepted = (seconds: number): number | undefined => (seconds >= 0 && seconds <= hour ? seconds : undefined)

const now = Date.UTC(2026, 7, 1)

describe("Retry-After", () => {
  it.prop("is a number of seconds, up to an hour", { seconds: between(-10_000, 10_000) }, ({ seconds }) => {
    assert.strictEqual(secondsOf(`${seconds}`, { now }), accepted(seconds))
    assert.strictEqual(secondsOf(`  ${seconds} `, { now }), accepted(seconds))
  })

  it.prop(
    "is a date, counted from that of the answer, whatever the time here",
    { second: Second, ahead: between(-2 * hour, 2 * hour), form: Form, dated: Form, now: between(0, 1e13) },
    ({ ahead, dated, form, now, second }) => {
      const answered = { date: forms[dated](second), now }
      assert.strictEqual(secondsOf(forms[form](second + ahead), answered), accepted(ahead))
    }
  )

  it.prop(
    "is a date, counted from the time here where the answer has none that can be read",
    {
      second: Second,
      ahead: between(-2 * hour, 2 * hour),
      form: Form,
      date: Schema.UndefinedOr(Schema.Literals(["", "now", "2026", "0"]))
    },
    ({ ahead, date, form, second }) => {
      const answered = { date, now: second * 1000 }
      assert.strictEqual(secondsOf(forms[form](second + ahead), answered), accepted(ahead))
    }
  )

  it.prop(
    "is ignored where it is anything else, whatever bytes",
    {
      bytes: Arbitrary.array(Arbitrary.schema(between(0, 255)), { maxLength: 40 }),
      date: Schema.UndefinedOr(Schema.String)
    },
    ({ bytes, date }) => {
      const header = String.fromCharCode(...bytes)
      const wait = secondsOf(header, { date, now })
      if (/^\s*[0-9.]+\s*$/.test(header)) assert.isTrue(wait === undefined || accepted(wait) === wait)
      else assert.isUndefined(wait)
    },
    { arbitrary: { runs: 500 } }
  )

  it.each([
    undefined,
    "",
    " ",
    "-1",
    "-0",
    "+5",
    "NaN",
    "Infinity",
    "1e3",
    "0x10",
    "3601",
    "9".repeat(400),
    "1,2",
    "120, 120",
    "1.",
    ".5",
    "1 second",
    "2026-08-01T00:01:00Z",
    "August 1, 2026 00:01:00",
    "1 Aug 2026 00:01:00 GMT",
    "Sat, 32 Aug 2026 00:01:00 GMT",
    "Saturday",
    "Sat, 01 Aug 2026 00:01:00 +0900"
  ])("is ignored: %j", (header) => {
    assert.isUndefined(Meaning.retryAfterOf(header, { now }))
  })

  it("may have a fraction, of which whole milliseconds are waited for", () => {
    assert.strictEqual(secondsOf("1.5", { now }), 1.5)
    assert.strictEqual(secondsOf("0.0001", { now }), 0.001)
    assert.strictEqual(secondsOf("3600", { now }), hour)
  })
})
