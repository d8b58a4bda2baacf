import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { Entry } from "../Journal.ts"

/** A reader of the live journal that falls behind this far loses the oldest. */
const backlog = 4096

/** The latest calls, and those to come. */
export class JournalLog {
  readonly #capacity: number
  readonly #news: PubSub.PubSub<Entry>
  #entries: Array<Entry> = []

  constructor(capacity: number, news: PubSub.PubSub<Entry>) {
    this.#capacity = capacity
    this.#news = news
  }

  record(entry: Entry): void {
    this.#entries.push(entry)
    if (this.#entries.length > 2 * this.#capacity) this.#entries = this.#latest()
    // When it is full, only the effect makes room for it; it never waits.
    if (!PubSub.publishUnsafe(this.#news, entry)) Effect.runSync(PubSub.publish(this.#news, entry))
  }

  clear(): void {
    this.#entries = []
  }

  get entries(): ReadonlyArray<Entry> {
    return this.#latest()
  }

  #latest(): Array<Entry> {
    return this.#entries.slice(Math.max(0, this.#entries.length - this.#capacity))
  }

  get live(): Stream.Stream<Entry> {
    return Stream.fromPubSub(this.#news)
  }
}

export const make = (capacity: number): Effect.Effect<JournalLog> =>
  Effect.map(PubSub.sliding<Entry>(backlog), (news) => new JournalLog(capacity, news))
