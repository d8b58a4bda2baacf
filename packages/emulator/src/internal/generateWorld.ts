import { Conversation, UserId } from "@effect-zim/protocol"
import * as Hash from "effect/Hash"
import type * as EffectRandom from "effect/Random"
import * as Random from "./seededRandom.ts"

/** A secret in the shape of the vendor's: 32 hexadecimal characters. */
export const secret = (seed: string | number): string => {
  const random = Random.seeded(`secret ${seed}`)
  return Array.from({ length: 32 }, () => Random.between(random, 0, 15).toString(16)).join("")
}

const longest = 5000

/** Log-normal: one list in twenty is empty, half have 20 entries or fewer, one in seventy more than 1000. */
const lengthOf = (random: EffectRandom.Random): number => {
  const length = Math.exp(3 + 1.8 * Random.normal(random))
  return Math.min(longest, Math.floor(length))
}

/** A list's entries go back in time from `now`, with gaps between seconds and weeks; every tenth shares its time. */
const conversations = (
  random: EffectRandom.Random,
  self: number,
  options: {
    readonly length: number
    readonly crowd: number
    readonly now: number
    readonly group: (after: number) => number
  }
): ReadonlyArray<Conversation.Wire> => {
  const list: Array<Conversation.Wire> = []
  let time = options.now - Random.between(random, 0, 86_400_000)
  let peer = Random.between(random, 0, options.crowd)
  let group = Random.between(random, 0, 99)
  for (let i = 0; i < options.length; i++) {
    if (random.nextDoubleUnsafe() >= 0.1) time -= Math.floor(Math.exp(7 + 9 * random.nextDoubleUnsafe()))
    if (random.nextDoubleUnsafe() < 0.4) {
      group = options.group(group)
      list.push({ ConvId: `group-${group}`, ConvType: Conversation.typeCodes.Group, UpdateTime: time })
    } else {
      peer += peer + 1 === self ? 2 : 1
      list.push({ ConvId: `user-${peer}`, ConvType: Conversation.typeCodes.OneToOne, UpdateTime: time })
    }
  }
  return list
}

/** How many users make a crowd in which the extremes surely occur. */
const crowdWithExtremes = 25

interface Person {
  readonly userId: UserId.UserId
  readonly conversations: ReadonlyArray<Conversation.Wire>
  readonly kickedFrom?: ReadonlyArray<string>
}

const isGroup = ({ ConvType }: Conversation.Wire): boolean => ConvType === Conversation.typeCodes.Group

/** One user in eight has been kicked out of one of their groups. */
const kick = (random: EffectRandom.Random, person: Person): Person => {
  const groups = person.conversations.filter(isGroup)
  const from = groups[Random.between(random, 0, groups.length - 1)]
  return random.nextDoubleUnsafe() < 0.125 && from !== undefined ? { ...person, kickedFrom: [from.ConvId] } : person
}

/** One group in 30 was disbanded; always the same ones of a seed, by their number. */
const isDisbanded = (seed: string | number, group: number): boolean => Hash.string(`${seed}/${group}`) % 30 === 0

export const people = (options: {
  readonly seed: string | number
  readonly count: number
  readonly now: number
}): { readonly users: ReadonlyArray<Person>; readonly disbanded: ReadonlyArray<string> } => {
  const { count, now, seed } = options
  const random = Random.seeded(`users ${seed}`)
  const kicks = Random.seeded(`kicks ${seed}`)
  const lengths = Array.from({ length: count }, () => lengthOf(random))
  if (count >= crowdWithExtremes) {
    const first = Random.between(random, 0, count - 1)
    lengths[first] = Random.between(random, 1001, 1500)
    lengths[(first + 1) % count] = 0
  }
  const disbanded = new Set<string>()
  const group = (after: number): number => {
    let next = after + 1
    for (; isDisbanded(seed, next); next++) disbanded.add(`group-${next}`)
    return next
  }
  const users = lengths.map((length, i) =>
    kick(kicks, {
      userId: UserId.make(`user-${i + 1}`),
      conversations: conversations(random, i + 1, { length, crowd: count, now, group })
    })
  )
  return { users, disbanded: [...disbanded] }
}
