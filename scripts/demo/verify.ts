/** Holds what arrived against the world, entry by entry, and the calls against the contract. */
import type { Conversations } from "@effect-zim/client"
import { type Conversation, QueryConversationList } from "@effect-zim/protocol"
import { Journal, type World } from "@effect-zim/emulator"
import { Result } from "effect"

/** What became of one user: every conversation as it arrived, duplicates included, or the error. */
export interface Reading {
  readonly userId: string
  readonly result: Result.Result<ReadonlyArray<Conversation.Conversation>, Conversations.ListError>
}

const entryOf = (wire: Conversation.Wire): string => `${wire.ConvType ?? 0}:${wire.ConvId}@${wire.UpdateTime}`

/** What is wrong with a registered user's list; nothing where each of the latest 1000 arrived exactly once, in order. */
const listProblem = (user: World.User, arrived: ReadonlyArray<Conversation.Conversation>): string | undefined => {
  const entries = arrived.map(({ raw }) => entryOf(raw))
  const distinct = new Set(entries)
  const expected = user.conversations
    .toSorted((a, b) => b.UpdateTime - a.UpdateTime)
    .slice(0, QueryConversationList.maximumConversations)
  const known = new Set(user.conversations.map(entryOf))
  // Of equally old ones, any may be the last within reach.
  const oldest = expected.at(-1)?.UpdateTime ?? 0
  const missing = expected.filter((wire) => wire.UpdateTime > oldest && !distinct.has(entryOf(wire)))
  if (distinct.size < entries.length) return `${entries.length - distinct.size} arrived twice`
  if (entries.length !== expected.length) return `${entries.length} arrived, not ${expected.length}`
  if (missing.length > 0) return `${missing.length} did not arrive`
  if (entries.some((entry) => !known.has(entry))) return "one that is not in the world arrived"
  if (arrived.some(({ updatedAtMillis }, i) => updatedAtMillis < (arrived[i - 1]?.updatedAtMillis ?? -Infinity))) {
    return "not in the order of time"
  }
  return undefined
}

const readingProblem = ({ result, userId }: Reading, user: World.User | undefined): string | undefined => {
  if (Result.isFailure(result)) {
    return result.failure._tag === "UserNotRegistered" && user === undefined
      ? undefined
      : `${userId}: ${result.failure.message}`
  }
  if (user === undefined) return `${userId}: not registered, but a list arrived`
  const problem = listProblem(user, result.success)
  return problem === undefined ? undefined : `${userId}: ${problem}`
}

/** Everything that is wrong; empty if all is well. */
export const problems = (
  world: World.World,
  userIds: ReadonlyArray<string>,
  readings: ReadonlyArray<Reading>,
  journal: ReadonlyArray<Journal.Entry>
): ReadonlyArray<string> => {
  const users = new Map<string, World.User>(world.users.map((user) => [user.userId, user]))
  const found = readings.flatMap((reading) => readingProblem(reading, users.get(reading.userId)) ?? [])
  const read = new Set(readings.map(({ userId }) => userId))
  if (read.size !== readings.length || userIds.some((userId) => !read.has(userId)) || read.size !== userIds.length) {
    found.push(`${readings.length} results for ${userIds.length} users`)
  }
  const reuses = Journal.nonceReuses(journal)
  if (reuses > 0) found.push(`${reuses} nonces were used twice`)
  const peak = Journal.peak(
    journal.filter((entry) => entry.status !== undefined),
    "1 second"
  )
  if (peak > 20) found.push(`${peak} calls were answered within one second`)
  return found
}
