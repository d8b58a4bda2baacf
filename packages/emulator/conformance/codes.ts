/** Sections 4 and 5 of the contract: return codes and limits. */
import { Fault, Journal, ServiceQuota } from "@effect-zim/emulator"
import { ReturnCode } from "@effect-zim/protocol"
import { Effect } from "effect"
import { deepStrictEqual, equal, ok } from "node:assert/strict"
import { ask, type Change, codeOf, me, send, steer } from "./Call.ts"
import { type Case, fact, open } from "./Case.ts"
import { otherApp, Target } from "./Target.ts"

const dropped = (name: string): Change => ({ query: { [name]: undefined } })
const changed = (name: string, value: string): Change => ({ query: { [name]: value } })
const minutesAgo = 11 * 60

/** Requests that are wrong in a way that has a code: the fields, and what is changed. */
const wrong: ReadonlyMap<number, readonly [fields: object | undefined, change: () => Change]> = new Map([
  [660000002, [{}, () => ({})]],
  [660500002, [{ FromUserId: "nobody-has-this-id-7f3a91" }, () => ({})]],
  [660000012, [{ FromUserId: "x".repeat(33) }, () => ({})]],
  [100000001, [undefined, () => changed("AppId", "abc")]],
  [100000002, [undefined, () => dropped("Timestamp")]],
  [100000003, [undefined, () => changed("Timestamp", "today")]],
  [100000004, [undefined, () => ({ timestamp: Math.floor(Date.now() / 1000) - minutesAgo })]],
  [100000005, [undefined, () => changed("Signature", "0".repeat(32))]],
  [100000006, [undefined, () => dropped("Action")]],
  [100000007, [undefined, () => changed("Action", "NoSuchOperation")]],
  [100000008, [undefined, () => dropped("SignatureNonce")]],
  [100000009, [undefined, () => dropped("Signature")]],
  [100000013, [undefined, () => dropped("SignatureVersion")]],
  [100000014, [undefined, () => changed("SignatureVersion", "1.0")]]
])

/** How a code comes: from a wrong request, from too many, or because an emulator is told to send it. */
const provoke = Effect.fnUntraced(function* (code: number) {
  const reason = wrong.get(code)
  const fields = { ...(reason?.[0] ?? (yield* me)) }
  if (reason !== undefined) return yield* ask(fields, reason[1]())
  const emulator = yield* steer
  if (code === 660300005) {
    yield* emulator.quota.set(ServiceQuota.sliding({ limit: 1, window: "1 hour" }))
    equal(yield* codeOf(fields), 0)
  } else if (code === 100000012) {
    return yield* send("{")
  } else if (code === 100000000) {
    return yield* ask(fields, { path: "/v1" })
  } else if (code === 2) {
    return yield* ask(fields, { method: "GET" })
  } else {
    yield* emulator.faults.set([Fault.returnCode(code)])
  }
  return yield* ask(fields)
})

const cells: ReadonlyArray<Case> = ReturnCode.table.map(({ code, meaning }) =>
  fact(
    `code-${code}`,
    meaning,
    Effect.gen(function* () {
      const { emulator } = yield* Target
      const answer = yield* provoke(code)
      equal(answer.code, code)
      if (emulator._tag === "Some") equal(Reflect.get(answer.json, "Message"), meaning)
    })
  )
)

export const codes: ReadonlyArray<Case> = [
  ...cells,
  fact(
    "code-unknown",
    "A code that is not in the table",
    Effect.gen(function* () {
      const emulator = yield* steer
      yield* emulator.faults.set([Fault.returnCode(987654321)])
      equal(yield* codeOf(yield* me), 987654321)
    })
  ),
  open(
    "code-expired",
    "100000005 for an expired signature (one table says so)",
    { expired: 100000004, wrong: 100000005 },
    Effect.gen(function* () {
      const fields = yield* me
      return {
        expired: yield* codeOf(fields, { timestamp: Math.floor(Date.now() / 1000) - minutesAgo }),
        wrong: yield* codeOf(fields, { serverSecret: "not-the-secret" })
      }
    })
  ),
  open(
    "code-order",
    "Which code wins when several things are wrong",
    [100000006, 100000001, 100000002, 100000008, 100000009, 100000013, 100000004, 100000005],
    Effect.gen(function* () {
      // All of them wrong; then one less from call to call. The body stays wrong to the end.
      const parameters = ["Action", "AppId", "Timestamp", "SignatureNonce", "Signature", "SignatureVersion"]
      const codes: Array<number> = []
      for (const [index] of parameters.entries()) {
        const query = Object.fromEntries(parameters.slice(index).map((name) => [name, undefined]))
        codes.push(yield* codeOf({}, { query }))
      }
      const serverSecret = "not-the-secret"
      const timestamp = Math.floor(Date.now() / 1000) - minutesAgo
      return [...codes, yield* codeOf({}, { serverSecret, timestamp }), yield* codeOf({}, { serverSecret })]
    })
  )
]

const codesOf = Effect.fnUntraced(function* (count: number, change?: Change) {
  const fields = yield* me
  return yield* Effect.forEach(Array.from({ length: count }), () => codeOf(fields, change))
})

export const limits: ReadonlyArray<Case> = [
  fact(
    "quota",
    "20 calls per second, of any size.",
    Effect.gen(function* () {
      const emulator = yield* steer
      yield* emulator.quota.set(ServiceQuota.sliding())
      const burst = Effect.forEach(
        Array.from({ length: 60 }, (_, index) => 1 + index * 8),
        (Limit) => codeOf({ FromUserId: "many", Limit }),
        { concurrency: 30, discard: true }
      )
      // A burst on a busy machine may take longer than a second or two.
      for (let i = 0; i < 5; i++) {
        yield* burst
        if ((yield* emulator.journal.entries).some(Journal.isRateLimited)) break
      }
      const entries = yield* emulator.journal.entries
      ok(entries.some(Journal.isRateLimited))
      equal(
        Journal.peak(
          entries.filter(({ code }) => code === 0),
          "1 second"
        ),
        20
      )
    })
  ),
  fact(
    "quota-app",
    "The text of the code calls it a limit of the AppID.",
    Effect.gen(function* () {
      const emulator = yield* steer
      yield* emulator.quota.set(ServiceQuota.sliding({ limit: 2, window: "1 hour" }))
      deepStrictEqual(yield* codesOf(3), [0, 0, 660300005])
      deepStrictEqual(yield* codesOf(3, otherApp), [0, 0, 660300005])
    })
  ),
  fact(
    "quota-setting",
    "Larger limits are for sale, so the number is a setting.",
    Effect.gen(function* () {
      const emulator = yield* steer
      yield* emulator.quota.set(ServiceQuota.sliding({ limit: 25, window: "1 hour" }))
      deepStrictEqual(
        (yield* codesOf(26)).filter((code) => code !== 0),
        [660300005]
      )
    })
  ),
  fact(
    "quota-window",
    "How the window is aligned: fixed, sliding, bucket",
    Effect.gen(function* () {
      const emulator = yield* steer
      const size = { limit: 3, window: "1 hour" } as const
      for (const quota of [ServiceQuota.sliding(size), ServiceQuota.fixed(size), ServiceQuota.tokenBucket(size)]) {
        yield* emulator.quota.set(quota)
        deepStrictEqual(yield* codesOf(4), [0, 0, 0, 660300005], quota.model)
      }
      yield* emulator.quota.set(ServiceQuota.unlimited)
      deepStrictEqual(new Set(yield* codesOf(30)), new Set([0]))
    })
  ),
  fact(
    "quota-rejected",
    "They do not, or they do: `countRejected`.",
    Effect.gen(function* () {
      const emulator = yield* steer
      const window = 150
      /** Calls without a pause; how many calls of any outcome came within the window before each call that passed. */
      const before = Effect.fnUntraced(function* (countRejected: boolean) {
        yield* emulator.journal.clear
        yield* emulator.quota.set(ServiceQuota.sliding({ limit: 2, window, countRejected }))
        for (const end = Date.now() + 3 * window; Date.now() < end;) yield* codesOf(1)
        const entries = yield* emulator.journal.entries
        const times = entries.map(({ time }) => time)
        const passed = entries.flatMap(({ code }, index) => (code === 0 ? [index] : []))
        return passed.map((index) => {
          const now = times[index] ?? 0
          return times.slice(0, index).filter((time) => time > now - window).length
        })
      })
      // On a busy machine a window may go by with two calls in all.
      const moreThanOne = (counts: ReadonlyArray<number>) => counts.some((calls) => calls > 1)
      ok(moreThanOne(yield* Effect.repeat(before(false), { until: moreThanOne, times: 20 })))
      ok((yield* before(true)).every((calls) => calls <= 1))
    })
  ),
  fact(
    "quota-retry-after",
    "How long to wait after a rejection: no `Retry-After` is documented",
    Effect.gen(function* () {
      const { headers } = yield* provoke(660300005)
      equal(headers.get("retry-after"), null)
    })
  )
]
