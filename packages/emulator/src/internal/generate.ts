import { Conversation, UserId } from "@effect-zim/protocol"
import type * as EffectRandom from "effect/Random"
import * as Random from "./random.ts"

/** A secret in the shape of the vendor's: 32 hexadecimal characters. */
export const secret = (seed: string | number): string => {
  const random = Random.seeded(`secret ${seed}`)
  return Array.from({ length: 32 }, () => Random.between(random, 0, 15).toString(16)).join("")
}

/** A number of the standard normal distribution (Box-Muller), from `u` and another uniform number. */
const normal = (u: number, v: number): number => Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v)

const longest = 5000

/** Log-normal: one list in twenty is empty, half have 20 entries or fewer, one in seventy more than 1000. */
const lengthOf = (random: EffectRandom.Random): number => {
  const length = Math.exp(3 + 1.8 * normal(1 - random.nextDoubleUnsafe(), random.nextDoubleUnsafe()))
  return Math.min(longest, Math.floor(length))
}

/** A list's entries go back in time from `now`, with gaps between seconds and weeks; every tenth shares its time. */
const conversations = (
  random: EffectRandom.Random,
  self: number,
  options: { readonly length: number; readonly crowd: number; readonly now: number }
): ReadonlyArray<Conversation.Wire> => {
  const list: Array<Conversation.Wire> = []
  let time = options.now - Random.between(random, 0, 86_400_000)
  let peer = Random.between(random, 0, options.crowd)
  let group = Random.between(random, 0, 99)
  for (let i = 0; i < options.length; i++) {
    if (random.nextDoubleUnsafe() >= 0.1) time -= Math.floor(Math.exp(7 + 9 * random.nextDoubleUnsafe()))
    if (random.nextDoubleUnsafe() < 0.4) {
      list.push({ ConvId: `group-${++group}`, ConvType: Conversation.typeCodes.Group, UpdateTime: time })
    } else {
      peer += peer + 1 === self ? 2 : 1
      list.push({ ConvId: `user-${peer}`, ConvType: Conversation.typeCodes.OneToOne, UpdateTime: time })
    }
  }
  return list
}

/** How many users make a crowd in which the extremes surely occur. */
const crowdWithExtremes = 25

export const users = (options: {
  readonly seed: string | number
  readonly count: number
  readonly now: number
}): ReadonlyArray<{ readonly userId: UserId.UserId; readonly conversations: ReadonlyArray<Conversation.Wire> }> => {
  const random = Random.seeded(`users ${options.seed}`)
  const lengths = Array.from({ length: options.count }, () => lengthOf(random))
  if (options.count >= crowdWithExtremes) {
    const first = Random.between(random, 0, options.count - 1)
    lengths[first] = Random.between(random, 1001, 1500)
    lengths[(first + 1) % options.count] = 0
  }
  return lengths.map((length, i) => ({
    userId: UserId.make(`user-${i + 1}`),
    conversations: conversations(random, i + 1, { length, crowd: options.count, now: options.now })
  }))
}
