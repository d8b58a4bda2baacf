import { Conversation, QueryConversationList } from "@effect-zim/protocol"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { Scenario } from "../Scenario.ts"
import * as DescribeConversation from "./describeConversation.ts"
import { type Observation, type Outcome, problemOf, type Result, type Where } from "./observePipeline.ts"
import * as InWords from "./textForPeople.ts"
import type { Served } from "./emulatorSpy.ts"

const maximum = QueryConversationList.maximumConversations

/** A list as it should come out: what must be in it, and what may be where the service chooses between equal times. */
const expected = (scenario: Scenario, userId: string, where: Where) => {
  const list = scenario.world.users.find((user) => user.userId === userId)?.conversations ?? []
  const latest = list.toSorted((a, b) => b.UpdateTime - a.UpdateTime)
  const cut = latest[maximum]?.UpdateTime ?? -Infinity
  const wanted = list.filter((wire) => wire.UpdateTime >= cut && where(new Conversation.Conversation(wire)))
  const certain = wanted.filter((wire) => wire.UpdateTime > cut)
  const reach = latest.slice(0, maximum).filter((wire) => wire.UpdateTime > cut).length
  return {
    all: new Map(wanted.map((wire) => [DescribeConversation.keyOf(wire), wire])),
    certain: new Set(certain.map(DescribeConversation.keyOf)),
    // How many come in all: with a predicate nobody knows how many of those with the time of the cut are in reach.
    length:
      certain.length + (wanted.length > certain.length ? Math.min(maximum - reach, wanted.length - certain.length) : 0)
  }
}

/**
 * The results of a run by the conversations that they stand for, in the order in which they came: the key of each once,
 * the keys of those that came again, and labels of what is in no list. A result that is an id alone stands for the
 * conversations with that id, one after the other.
 */
const match = (list: ReadonlyMap<string, Conversation.Wire>, results: ReadonlyArray<Result>) => {
  const byId = new Map<string, Array<string>>()
  for (const [key, { ConvId }] of list) byId.set(ConvId, [...(byId.get(ConvId) ?? []), key])
  const keys = new Set<string>()
  const repeated: Array<string> = []
  const strange: Array<string> = []
  for (const result of results) {
    const id = typeof result === "string" ? result : result.id
    const type = typeof result === "string" ? undefined : result.typeCode
    const candidates = type === undefined ? (byId.get(id) ?? []) : [`${type}:${id}`].filter((key) => list.has(key))
    const fresh = candidates.find((key) => !keys.has(key))
    if (fresh !== undefined) keys.add(fresh)
    else if (candidates[0] === undefined) {
      strange.push(type === undefined ? id : DescribeConversation.describe({ ConvId: id, ConvType: type }))
    } else repeated.push(candidates[0])
  }
  return { keys: [...keys], repeated, strange }
}

const labels = (list: ReadonlyMap<string, Conversation.Wire>, keys: ReadonlyArray<string>): ReadonlyArray<string> =>
  keys.map((key) => {
    const wire = list.get(key)
    return wire === undefined ? key : DescribeConversation.describe(wire)
  })

/** `conversation group:7`, or `3 conversations (group:7, group:8, group:9)`. */
const name = (labels: ReadonlyArray<string>): string =>
  labels.length === 1
    ? `conversation ${labels.join()}`
    : `${InWords.count(labels.length, "conversation")} (${InWords.some(labels, 3)})`

const servedTo = (observation: Observation, userId: string): ReadonlyArray<Served> =>
  observation.served.filter((page) => page.userId === userId)

const has = (page: Served, keys: ReadonlySet<string>): boolean =>
  page.conversations.some((wire) => keys.has(DescribeConversation.keyOf(wire)))

/** How many pages the list has, as far as it was read, and if the rest had been read in pages of the last size. */
const pagesOf = (pages: ReadonlyArray<Served>, length: number): { readonly read: number; readonly total: number } => {
  const last = pages.toSorted((a, b) => a.page - b.page).at(-1)
  if (last === undefined) return { read: 0, total: 0 }
  const known = new Set(pages.flatMap((page) => page.conversations.map(DescribeConversation.keyOf)))
  const limit = Math.max(1, ...pages.map((page) => page.limit))
  const more = last.hasNext ? Math.max(1, Math.ceil((length - known.size) / limit)) : 0
  return { read: last.page, total: last.page + more }
}

const range = (first: number, last: number): string => (first === last ? `page ${first}` : `pages ${first} to ${last}`)

/** Where the missing ones were lost. */
const whereLost = (pages: ReadonlyArray<Served>, keys: ReadonlySet<string>, length: number): string => {
  const { read, total } = pagesOf(pages, length)
  const page = pages.find((page) => has(page, keys))
  if (page !== undefined) return `page ${page.page} of ${total} had ${keys.size === 1 ? "it" : "them"}`
  if (read === 0) return "no page was read"
  return read < total
    ? `${range(read + 1, total)} of ${total} ${total - read === 1 ? "was" : "were"} never read`
    : "no page had it"
}

/** Everything of the user's whole list: where a pipeline leaves none out, its length is known. */
export const everything: Where = () => true

export const missing = (
  scenario: Scenario,
  observation: Observation,
  outcome: Outcome,
  where: Where
): ReadonlyArray<string> => {
  if (outcome.exit === undefined || Exit.isFailure(outcome.exit)) return []
  const { userId } = outcome
  const list = expected(scenario, userId, where)
  const { keys } = match(list.all, outcome.results)
  const found = new Set(keys)
  const lost = [...list.certain].filter((key) => !found.has(key))
  const pages = servedTo(observation, userId)
  const length = expected(scenario, userId, everything).length
  if (lost.length > 0) {
    return [`user ${userId}: ${name(labels(list.all, lost))} missing; ${whereLost(pages, new Set(lost), length)}`]
  }
  return keys.length < list.length && where === everything
    ? [`user ${userId}: ${keys.length} of ${list.length} conversations came`]
    : []
}

export const repeated = (scenario: Scenario, observation: Observation, outcome: Outcome): ReadonlyArray<string> => {
  const { userId } = outcome
  const list = allOf(scenario, userId)
  const { repeated, strange } = match(list, outcome.results)
  const all = servedTo(observation, userId)
  // A service that sends a conversation on two pages of a list is not the pipeline's doing.
  const sent = new Map<string, number>()
  for (const page of new Map(all.map((page) => [page.page, page])).values()) {
    for (const wire of page.conversations)
      sent.set(DescribeConversation.keyOf(wire), (sent.get(DescribeConversation.keyOf(wire)) ?? 0) + 1)
  }
  const excused = new Map<string, number>()
  const own = repeated.filter((key) => {
    const count = (excused.get(key) ?? 1) + 1
    excused.set(key, count)
    return count > (sent.get(key) ?? 0)
  })
  const again = new Set(own)
  const pages = all.filter((page) => has(page, again))
  const twice = pages.find((page, i) => pages.slice(0, i).some((other) => other.page === page.page))
  const why = twice === undefined ? "the service sent it once" : `page ${twice.page} was read again`
  return [
    ...(own.length === 0 ? [] : [`user ${userId}: ${name(labels(list, [...again]))} came again; ${why}`]),
    ...(strange.length === 0 ? [] : [`user ${userId}: ${name(strange)} came, but is not in the list`])
  ]
}

const allOf = (scenario: Scenario, userId: string): ReadonlyMap<string, Conversation.Wire> =>
  new Map(
    scenario.world.users
      .find((user) => user.userId === userId)
      ?.conversations.map((wire) => [DescribeConversation.keyOf(wire), wire])
  )

/** The first pair that came the other way round than the service sent it, unless all of them are sorted by time. */
export const disordered = (scenario: Scenario, observation: Observation, outcome: Outcome): ReadonlyArray<string> => {
  const { userId } = outcome
  const list = allOf(scenario, userId)
  const places = new Map<string, number>()
  for (const page of servedTo(observation, userId)) {
    for (const wire of page.conversations) {
      const key = DescribeConversation.keyOf(wire)
      if (!places.has(key)) places.set(key, places.size)
    }
  }
  // Where one id stands for two conversations, an id alone does not say which came.
  const ids = [...list.values()].map(({ ConvId }) => ConvId)
  const ambiguous = new Set(ids.filter((id, i) => ids.indexOf(id) < i))
  const telling = outcome.results.filter((result) => typeof result !== "string" || !ambiguous.has(result))
  const known = match(list, telling).keys.filter((key) => places.has(key))
  const times = known.map((key) => list.get(key)?.UpdateTime ?? 0)
  if (times.every((time, i) => time >= (times[i - 1] ?? 0))) return []
  for (const [i, key] of known.entries()) {
    const before = known[i - 1]
    if (before === undefined || (places.get(before) ?? 0) < (places.get(key) ?? 0)) continue
    const [first = "", second = ""] = labels(list, [before, key])
    return [`user ${userId}: ${first} came before ${second}; the service sent ${second} first`]
  }
  return []
}

/** A failure that the service gave no reason for, a defect, or no end at all. */
export const unfounded = (observation: Observation, outcome: Outcome): ReadonlyArray<string> => {
  const { exit, userId } = outcome
  if (observation.neverEnds !== undefined) return [`user ${userId}: never ends: ${observation.neverEnds}`]
  if (exit === undefined) return [`user ${userId}: was interrupted`]
  if (Exit.isSuccess(exit)) return []
  const problem = problemOf(exit.cause)
  if (Cause.hasDies(exit.cause)) return [`user ${userId}: died: ${problem}`]
  const last = observation.journal.findLast((entry) => entry.userId === userId)
  if (last === undefined) return [`user ${userId}: failed before it asked the service: ${problem}`]
  return last.code === 0 && last.faults.length === 0
    ? [`user ${userId}: failed although its last call was answered: ${problem}`]
    : []
}

/** Whatever did not come to an end. */
export const unended = (observation: Observation): ReadonlyArray<string> =>
  observation.outcomes.filter(({ exit }) => exit === undefined).flatMap((outcome) => unfounded(observation, outcome))

/** Any failure. */
export const failed = (outcome: Outcome): ReadonlyArray<string> =>
  outcome.exit !== undefined && Exit.isFailure(outcome.exit)
    ? [`user ${outcome.userId}: gave up: ${problemOf(outcome.exit.cause)}`]
    : []
