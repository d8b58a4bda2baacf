import type * as EffectRandom from "effect/Random"
import * as Random from "../seededRandom.ts"
import { RecentMap } from "../recentMap.ts"

/** A place in one user's list: after this entry, or before it, by the direction of reading. */
export interface Edge {
  readonly UpdateTime: number
  readonly ConvId: string
  readonly ConvType: number
}

/** What a cursor stands for. */
export interface Place {
  readonly appId: number
  readonly userId: string
  /** Which page starts here, from 1. */
  readonly page: number
  /** `undefined` is the beginning. */
  readonly edge: Edge | undefined
}

/** So many are remembered at least: like an expired one, a forgotten cursor is unknown. */
const capacity = 100_000

const safeLimit = 2 ** 53

/** An odd number beyond 2^53, which a client that reads it as a double never sends back right. */
const beyond = (random: EffectRandom.Random, digits: number): bigint =>
  (BigInt(digits) << 10n) | BigInt(Random.between(random, 0, 511) * 2 + 1) | BigInt(safeLimit)

/** Half of them are below 2^53 and look like any number; the others are beyond. None looks like an offset. */
const draw = (random: EffectRandom.Random, large: boolean): number | bigint => {
  const digits = Random.between(random, 2 ** 40, safeLimit - 1)
  return random.nextDoubleUnsafe() < 0.5 && !large ? digits : beyond(random, digits)
}

/** The cursors handed out. They mean something here only, so an altered one is unknown. */
export class Cursors {
  readonly #random: EffectRandom.Random
  readonly #places = new RecentMap<Place>(capacity)
  readonly #issued = new RecentMap<number | bigint>(capacity)

  constructor(seed: string) {
    this.#random = Random.seeded(seed)
  }

  /** The cursor of a place: the same as long as it is remembered. `large` asks for one beyond 2^53. */
  issue(place: Place, large = false): number | bigint {
    const { appId, edge, page, userId } = place
    const key = `${large ? "large/" : ""}${appId}/${page}/${edge?.UpdateTime}/${edge?.ConvType}/${userId}/${edge?.ConvId}`
    const known = this.#issued.get(key)
    if (known !== undefined) return known
    let cursor = draw(this.#random, large)
    while (this.#places.get(cursor.toString()) !== undefined) cursor = draw(this.#random, large)
    this.#issued.set(key, cursor)
    this.#places.set(cursor.toString(), place)
    return cursor
  }

  /** What the digits of a cursor stand for, if they are one of this app and user. */
  find(appId: number, userId: string, digits: string): Place | undefined {
    const place = this.#places.get(digits)
    return place?.appId === appId && place.userId === userId ? place : undefined
  }
}
