import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as AdminApi from "../../AdminApi.ts"
import { Emulator } from "../../Emulator.ts"
import * as Journal from "../../Journal.ts"

export const layer = HttpApiBuilder.group(
  AdminApi.AdminApi,
  "journal",
  Effect.fnUntraced(function* (handlers) {
    const { journal } = yield* Emulator
    return handlers.handleAll({
      getJournal: ({ query }) => Effect.map(journal.entries, (entries) => Journal.query(entries, query)),
      getStats: ({ query }) =>
        Effect.map(journal.entries, (entries) => Journal.stats(Journal.query(entries, query), query.window)),
      live: () => Effect.succeed(journal.live),
      deleteJournal: () => journal.clear
    })
  })
)
