import { Conversation, UserId } from "@effect-zim/protocol"
import * as Hash from "effect/Hash"
import * as Random from "./seededRandom.ts"

/** A secret in the shape of the vendor's: 32 hexadecimal characters. */
export const secret = (seed: string | number): string => {
  const random = Random.seeded(`secret ${seed}`)
  return Array.from({ length: 32 }, () => Random.between(random, 0, 15).toString(16)).join("")
}

/** One group in 30 was disbanded; always the same ones of a seed, by their number. */
const isDisbanded = (seed: string | number, group: number): boolean => Hash.string(`${seed}/${group}`) % 30 === 0

export const people = (seed: string | number, count: number, now: number) => {
  const random = Random.seeded(`users ${seed}`)
  const kicks = Random.seeded(`kicks ${seed}`)
  // Log-normal: one list in twenty is empty, half have 20 entries or fewer, one in seventy more than 1000; none over 5000.
  const lengths = Array.from({ length: count }, () =>
    Math.min(5000, Math.floor(Math.exp(3 + 1.8 * Random.normal(random))))
  )
  // In a crowd of so many the extremes surely occur.
  if (count >= 25) {
    const first = Random.between(random, 0, count - 1)
    lengths[first] = Random.between(random, 1001, 1500)
    lengths[(first + 1) % count] = 0
  }
  const disbanded = new Set<string>()
  /** A list's entries go back in time from `now`, with gaps between seconds and weeks; every tenth shares its time. */
  const conversations = (self: number, length: number): ReadonlyArray<Conversation.Wire> => {
    let time = now - Random.between(random, 0, 86_400_000)
    let peer = Random.between(random, 0, count)
    let group = Random.between(random, 0, 99)
    return Array.from({ length }, () => {
      if (random.nextDoubleUnsafe() >= 0.1) time -= Math.floor(Math.exp(7 + 9 * random.nextDoubleUnsafe()))
      if (random.nextDoubleUnsafe() >= 0.4) {
        peer += peer + 1 === self ? 2 : 1
        return { ConvId: `user-${peer}`, ConvType: Conversation.typeCodes.OneToOne, UpdateTime: time }
      }
      for (group++; isDisbanded(seed, group); group++) disbanded.add(`group-${group}`)
      return { ConvId: `group-${group}`, ConvType: Conversation.typeCodes.Group, UpdateTime: time }
    })
  }
  const users = lengths.map((length, i) => {
    const user = { userId: UserId.make(`user-${i + 1}`), conversations: conversations(i + 1, length) }
    const groups = user.conversations.filter(({ ConvType }) => ConvType === Conversation.typeCodes.Group)
    const group = groups[Random.between(kicks, 0, groups.length - 1)]
    // One user in eight has been kicked out of one of their groups.
    return kicks.nextDoubleUnsafe() < 0.125 && group !== undefined ? { ...user, kickedFrom: [group.ConvId] } : user
  })
  return { users, disbanded: [...disbanded] }
}
