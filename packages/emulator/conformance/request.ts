/** Section 1 of the contract: the request. */
import { Effect } from "effect"
import { deepStrictEqual, equal, notEqual } from "node:assert/strict"
import { codeOf, me, page, pages, send, someone } from "./Call.ts"
import { fact, idOf, open } from "./Case.ts"
import { NotTestable, Target } from "./Target.ts"

/** How many entries come for a page size. */
const countFor = Effect.fnUntraced(function* (fields: Readonly<Record<string, unknown>>, minimum: number) {
  const { userId } = yield* someone(minimum)
  return (yield* page({ FromUserId: userId, ...fields })).entries.length
})

const legal = "09azAZ !#$%&()+-:;<=.>?@[]^_{}|~"
const illegal = ["it's", "a/b", "a,b", 'a"b', "a\\b", "a*b", "a`b", "ü"] as const

export const request = [
  fact(
    "one-page",
    "One call reads one page of one user's conversation list",
    Effect.gen(function* () {
      const { userId } = yield* someone(5)
      const first = yield* page({ FromUserId: userId, Limit: 2 })
      equal(first.entries.length, 2)
      notEqual(first.next, "0")
    })
  ),
  fact(
    "both-kinds",
    "both one-to-one and group conversations",
    Effect.gen(function* () {
      const { userId } = yield* someone(5)
      const entries = (yield* pages(userId, 500)).flatMap(({ entries }) => entries)
      const types = new Set(entries.map(({ ConvType }) => ConvType ?? 0))
      if (!types.has(0) || !types.has(2)) {
        return yield* new NotTestable({ reason: `${userId} does not have conversations of both kinds` })
      }
    })
  ),
  fact(
    "post-root",
    "It is `POST /` with `Action=QueryConversationList` in the query string and a JSON body.",
    Effect.gen(function* () {
      const fields = yield* me
      equal(yield* codeOf(fields), 0)
      notEqual(yield* Effect.orElseSucceed(codeOf(fields, { method: "GET" }), () => -1), 0)
      notEqual(yield* Effect.orElseSucceed(codeOf(fields, { path: "/v1" }), () => -1), 0)
      const { code } = yield* send(new URLSearchParams(fields).toString(), {
        contentType: "application/x-www-form-urlencoded"
      })
      notEqual(code, 0)
    })
  ),
  fact(
    "user-required",
    "The user whose list it is.",
    Effect.gen(function* () {
      equal(yield* codeOf({}), 660000002)
      equal(yield* codeOf({ FromUserId: "" }), 660000002)
    })
  ),
  fact(
    "user-registered",
    "The user must have logged in once through the client SDK, or have been registered through the server API.",
    Effect.gen(function* () {
      equal(yield* codeOf(yield* me), 0)
      equal(yield* codeOf({ FromUserId: "nobody-has-this-id-7f3a91" }), 660500002)
    })
  ),
  fact(
    "user-length",
    "At most 32 characters.",
    Effect.gen(function* () {
      equal(yield* codeOf({ FromUserId: "x".repeat(32) }), 660500002)
      equal(yield* codeOf({ FromUserId: "x".repeat(33) }), 660000012)
    })
  ),
  fact(
    "user-alphabet",
    "Legal: digits, English letters, space, and",
    Effect.gen(function* () {
      // Legal, but nobody's.
      equal(yield* codeOf({ FromUserId: legal }), 660500002)
      for (const FromUserId of illegal) equal(yield* codeOf({ FromUserId }), 660000002, FromUserId)
    })
  ),
  fact(
    "user-hyphen",
    "The hyphen is legal",
    Effect.gen(function* () {
      equal(yield* codeOf({ FromUserId: "no-body-has-this-id" }), 660500002)
    })
  ),
  fact(
    "limit-size",
    "The page size.",
    Effect.gen(function* () {
      for (const Limit of [1, 2, 5]) equal(yield* countFor({ Limit }, 5), Limit)
    })
  ),
  fact(
    "limit-default",
    "100 if left out",
    Effect.map(countFor({}, 101), (count) => equal(count, 100))
  ),
  fact(
    "limit-maximum",
    "at most 500.",
    Effect.map(countFor({ Limit: 500 }, 501), (count) => equal(count, 500))
  ),
  fact(
    "limit-corrected",
    "Out of range it is corrected and not rejected: 0 or less becomes 100, more than 500 becomes 500.",
    Effect.gen(function* () {
      for (const Limit of [0, -1, -1_000_000]) equal(yield* countFor({ Limit }, 101), 100)
      for (const Limit of [501, 1_000_000]) equal(yield* countFor({ Limit }, 501), 500)
    })
  ),
  open(
    "limit-malformed",
    "A fraction, a string, `null`.",
    [660000002, 660000002, 660000002],
    Effect.gen(function* () {
      const fields = yield* me
      return yield* Effect.forEach([1.5, "10", null], (Limit) => codeOf({ ...fields, Limit }))
    })
  ),
  fact(
    "next-start",
    "Where the page starts: 0 (or nothing) for the first page, then the `Next` of the answer before.",
    Effect.gen(function* () {
      const { userId: FromUserId } = yield* someone(4)
      const first = yield* page({ FromUserId, Limit: 2, Next: 0 })
      deepStrictEqual((yield* page({ FromUserId, Limit: 2 })).entries, first.entries)
      const second = yield* page({ FromUserId, Limit: 2, Next: first.next })
      equal(second.entries.length, 2)
      equal(new Set([...first.entries, ...second.entries].map(idOf)).size, 4)
    })
  ),
  open(
    "next-invalid",
    "One that is invalid, expired or another user's",
    [660000002, 660000002],
    Effect.gen(function* () {
      const { userId } = yield* someone(3)
      const { next } = yield* page({ FromUserId: userId, Limit: 2 })
      const { users } = yield* Target
      const other = users?.find((user) => user.userId !== userId)?.userId
      const codes = [yield* codeOf({ FromUserId: userId, Next: "7" })]
      return other === undefined ? codes : [...codes, yield* codeOf({ FromUserId: other, Next: next })]
    })
  ),
  open(
    "limit-changes",
    "a `Limit` that changes in the middle of a list.",
    { entries: 5, different: 5 },
    Effect.gen(function* () {
      const { userId: FromUserId } = yield* someone(5)
      const first = yield* page({ FromUserId, Limit: 2 })
      const second = yield* page({ FromUserId, Limit: 3, Next: first.next })
      const ids = [...first.entries, ...second.entries].map(idOf)
      return { entries: ids.length, different: new Set(ids).size }
    })
  ),
  fact(
    "action-case",
    "The action's name is case-sensitive.",
    Effect.gen(function* () {
      const fields = yield* me
      for (const Action of ["queryConversationList", "QUERYCONVERSATIONLIST", "QueryConversationlist"]) {
        equal(yield* codeOf(fields, { query: { Action } }), 100000007, Action)
      }
    })
  )
]
