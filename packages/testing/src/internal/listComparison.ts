/** What came out of a pipeline, beside the list that should have come: what is missing, repeated or out of order. */
import { Conversation, QueryConversationList } from "@effect-zim/protocol"
import * as Arr from "effect/Array"
import * as Exit from "effect/Exit"
import type { Scenario } from "../Scenario.ts"
import type { Served } from "./emulatorSpy.ts"
import type { Observation, Outcome, Result, Where } from "./pipelineRun.ts"
import * as InWords from "./textForPeople.ts"

const maximum = QueryConversationList.maximumConversations

/** Conversations by what tells them apart. */
type List = ReadonlyMap<string, Conversation.Wire>

const listOf = (scenario: Scenario, userId: string): List =>
  new Map(
    scenario.world.users
      .find((user) => user.userId === userId)
      ?.conversations.map((wire) => [InWords.conversation(wire), wire])
  )

/** What may come of a list, and what of it must: among equal times the service chooses which are in reach. */
const expected = (list: List, where: Where | undefined) => {
  const latest = [...list.values()].toSorted((a, b) => b.UpdateTime - a.UpdateTime)
  const cut = latest[maximum]?.UpdateTime ?? -Infinity
  const wanted = [...list].filter(
    ([, wire]) => wire.UpdateTime >= cut && (where === undefined || where(new Conversation.Conversation(wire)))
  )
  const certain = wanted.filter(([, wire]) => wire.UpdateTime > cut)
  return { possible: new Map(wanted), certain: certain.map(([name]) => name) }
}

/**
 * The results of a run by the conversations that they stand for, in the order in which they came: each once, those that
 * came again, and what is in no list. A result that is an id alone stands for the conversations with that id, one after
 * the other.
 */
const match = (list: List, results: ReadonlyArray<Result>) => {
  const byId = Map.groupBy(list.keys(), (name) => list.get(name)?.ConvId)
  const found = new Set<string>()
  const repeated: Array<string> = []
  const strange: Array<string> = []
  for (const result of results) {
    const { id, typeCode: type } = typeof result === "string" ? { id: result, typeCode: undefined } : result
    const name = type === undefined ? id : InWords.conversation({ ConvId: id, ConvType: type })
    const candidates = type === undefined ? (byId.get(id) ?? []) : [name].filter((name) => list.has(name))
    const fresh = candidates.find((candidate) => !found.has(candidate))
    if (fresh !== undefined) found.add(fresh)
    else if (candidates[0] === undefined) strange.push(name)
    else repeated.push(candidates[0])
  }
  return { found, repeated, strange }
}

/** `conversation group:7`, or `3 conversations (group:7, group:8, group:9)`. */
const naming = (names: ReadonlyArray<string>): string =>
  names.length === 1
    ? `conversation ${names.join()}`
    : `${InWords.count(names.length, "conversation")} (${InWords.some(names, 3)})`

// ---- what the service sent ----

const servedTo = ({ served }: Observation, { userId }: Outcome): ReadonlyArray<Served> =>
  served.filter((page) => page.userId === userId)

const namesOn = (page: Served): ReadonlyArray<string> => page.conversations.map(InWords.conversation)

const has = (page: Served, names: ReadonlySet<string>): boolean => namesOn(page).some((name) => names.has(name))

const range = (first: number, last: number): string => (first === last ? `page ${first}` : `pages ${first} to ${last}`)

/** Where the missing ones were lost. */
const whereLost = (pages: ReadonlyArray<Served>, names: ReadonlySet<string>, length: number): string => {
  const last = pages.toSorted((a, b) => a.page - b.page).at(-1)
  if (last === undefined) return "no page was read"
  const known = new Set(pages.flatMap(namesOn))
  const limit = Math.max(1, ...pages.map((page) => page.limit))
  // If the rest had been read in pages of the same size.
  const unread = last.hasNext ? Math.max(1, Math.ceil((length - known.size) / limit)) : 0
  const total = last.page + unread
  const page = pages.find((page) => has(page, names))
  if (page !== undefined) return `page ${page.page} of ${total} had ${names.size === 1 ? "it" : "them"}`
  if (unread === 0) return "no page had it"
  return `${range(last.page + 1, total)} of ${total} ${unread === 1 ? "was" : "were"} never read`
}

// ---- what is wrong ----

/** What a pipeline that ended well has left out. */
export const missing = (observation: Observation, outcome: Outcome, where?: Where): ReadonlyArray<string> => {
  if (outcome.exit === undefined || Exit.isFailure(outcome.exit)) return []
  const list = listOf(observation.scenario, outcome.userId)
  const { certain, possible } = expected(list, where)
  const { found } = match(possible, outcome.results)
  const lost = certain.filter((name) => !found.has(name))
  const length = Math.min(maximum, list.size)
  if (lost.length > 0) {
    return [`${naming(lost)} missing; ${whereLost(servedTo(observation, outcome), new Set(lost), length)}`]
  }
  // With a predicate nobody knows how many of those with the time of the cut are in reach.
  return found.size < length && where === undefined ? [`${found.size} of ${length} conversations came`] : []
}

/** What came twice, and what is in no list. */
export const repeated = (observation: Observation, outcome: Outcome): ReadonlyArray<string> => {
  const { repeated, strange } = match(listOf(observation.scenario, outcome.userId), outcome.results)
  const all = servedTo(observation, outcome)
  // A service that sends a conversation on two pages of a list is not the pipeline's doing.
  const sent = new Map<string, number>()
  for (const page of new Map(all.map((page) => [page.page, page])).values()) {
    for (const name of namesOn(page)) sent.set(name, (sent.get(name) ?? 0) + 1)
  }
  const own = repeated.filter((name) => {
    const more = (sent.get(name) ?? 0) - 1
    sent.set(name, more)
    return more < 1
  })
  const again = new Set(own)
  const pages = all.filter((page) => has(page, again))
  const twice = pages.find((page, i) => pages.slice(0, i).some((other) => other.page === page.page))
  const why = twice === undefined ? "the service sent it once" : `page ${twice.page} was read again`
  return [
    ...(own.length === 0 ? [] : [`${naming([...again])} came again; ${why}`]),
    ...(strange.length === 0 ? [] : [`${naming(strange)} came, but is not in the list`])
  ]
}

/** The first pair that came the other way round than the service sent it, unless all of them are sorted by time. */
export const disordered = (observation: Observation, outcome: Outcome): ReadonlyArray<string> => {
  const list = listOf(observation.scenario, outcome.userId)
  const sent = new Set(servedTo(observation, outcome).flatMap(namesOn))
  const places = new Map([...sent].map((name, place) => [name, place]))
  // Where one id stands for two conversations, an id alone does not say which came.
  const ids = [...list.values()].map(({ ConvId }) => ConvId)
  const ambiguous = new Set(ids.filter((id, i) => ids.indexOf(id) < i))
  const telling = outcome.results.filter((result) => typeof result !== "string" || !ambiguous.has(result))
  const known = [...match(list, telling).found].filter((name) => places.has(name))
  const times = known.map((name) => list.get(name)?.UpdateTime ?? 0)
  if (times.every((time, i) => time >= (times[i - 1] ?? 0))) return []
  return Arr.zip(known, known.slice(1))
    .filter(([first, second]) => (places.get(first) ?? 0) > (places.get(second) ?? 0))
    .slice(0, 1)
    .map(([first, second]) => `${first} came before ${second}; the service sent ${second} first`)
}
