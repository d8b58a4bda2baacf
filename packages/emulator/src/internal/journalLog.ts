import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { Entry } from "../Journal.ts"

/** A reader of the live journal that falls behind this far loses the oldest. */
const backlog = 4096

/** The latest calls, and those to come. */
export interface JournalLog extends Effect.Success<ReturnType<typeof make>> {}

export const make = (capacity: number) =>
  Effect.map(PubSub.sliding<Entry>(backlog), (news) => {
    let entries: Array<Entry> = []
    const latest = () => entries.slice(Math.max(0, entries.length - capacity))
    return {
      latest,
      live: Stream.fromPubSub(news),
      record: (entry: Entry): void => {
        entries.push(entry)
        if (entries.length > 2 * capacity) entries = latest()
        // When it is full, only the effect makes room for it; it never waits.
        if (!PubSub.publishUnsafe(news, entry)) Effect.runSync(PubSub.publish(news, entry))
      },
      clear: (): void => {
        entries = []
      }
    }
  })
