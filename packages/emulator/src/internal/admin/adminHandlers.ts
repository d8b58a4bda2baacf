/** What the admin API does: a handler for each of its endpoints, by the groups of `AdminApi`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiError from "effect/http-api/HttpApiError"
import { memoize } from "effect/Function"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AdminApi from "../../AdminApi.ts"
import { Emulator, type Snapshot } from "../../Emulator.ts"
import * as Fault from "../../Fault.ts"
import * as FaultJson from "../../FaultJson.ts"
import * as Journal from "../../Journal.ts"
import * as ServiceQuota from "../../ServiceQuota.ts"
import * as World from "../../World.ts"
import { arranged } from "../operations/queryConversationList.ts"

/** An API that ignores the keys it does not know does not do what it is told. */
const api = AdminApi.AdminApi.annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error" })

const invalid = (problem: string) => new AdminApi.AdminRequestInvalid({ problem })

const details = (user: World.User): typeof AdminApi.UserDetails.Type => ({
  userId: user.userId,
  conversations: arranged(user.conversations),
  kickedFrom: user.kickedFrom ?? []
})

const slice = <A>(
  items: ReadonlyArray<A>,
  { limit = 100, offset = 0 }: { readonly limit?: number | undefined; readonly offset?: number | undefined }
): ReadonlyArray<A> => items.slice(offset, offset + limit)

const worldHandlers = (url: string | undefined) =>
  HttpApiBuilder.group(api, "world", (handlers) =>
    Emulator.useSync(({ faults, journal, world }) => {
      const find = Effect.fnUntraced(function* (userId: string) {
        const user = (yield* world.get).users.find((user) => user.userId === userId)
        return user ?? (yield* new AdminApi.AdminNotFound({ problem: `${userId} is not registered` }))
      })
      /** Puts a user in place of the one of the same id, or adds one. */
      const putUser = Effect.fnUntraced(function* (json: typeof World.User.Encoded) {
        const user = yield* Effect.mapError(Schema.decodeEffect(World.User)(json), ({ message }) => invalid(message))
        yield* world.update((before) => ({
          ...before,
          users: before.users.some(({ userId }) => userId === user.userId)
            ? before.users.map((other) => (other.userId === user.userId ? user : other))
            : [...before.users, user]
        }))
      })
      return handlers.handleAll({
        status: () =>
          Effect.map(Effect.all([world.get, journal.entries, faults.get]), ([{ apps, users }, entries, set]) => ({
            url,
            apps: apps.map(({ appId }) => appId),
            users: users.length,
            conversations: users.reduce((sum, user) => sum + user.conversations.length, 0),
            calls: entries.length,
            faults: set.length
          })),
        getWorld: () =>
          Effect.map(world.get, (current) => ({
            ...current,
            apps: current.apps.map((app) => ({ ...app, serverSecret: AdminApi.redacted }))
          })),
        putWorld: Effect.fnUntraced(function* ({ payload }) {
          const before = yield* world.get
          const after = yield* Effect.mapError(World.decode(payload), ({ message }) => invalid(message))
          const apps = yield* Effect.forEach(after.apps, (app) => {
            if (Redacted.value(app.serverSecret) !== AdminApi.redacted) return Effect.succeed(app)
            const known = before.apps.find(({ appId }) => appId === app.appId)
            return known === undefined
              ? Effect.fail(invalid("an app that is new needs its serverSecret"))
              : Effect.succeed({ ...app, serverSecret: known.serverSecret })
          })
          yield* world.set({ ...after, apps })
        }),
        listUsers: ({ query }) =>
          Effect.map(world.get, ({ users }) => {
            const found = users.filter(({ userId }) => userId.includes(query.search ?? ""))
            return {
              total: found.length,
              users: slice(found, query).map((user) => ({
                userId: user.userId,
                conversations: user.conversations.length,
                kickedFrom: user.kickedFrom ?? []
              }))
            }
          }),
        getUser: ({ params }) => Effect.map(find(params.userId), details),
        putUser: ({ params, payload }) => putUser({ ...payload, userId: params.userId }),
        deleteUser: ({ params }) =>
          Effect.flatMap(find(params.userId), (gone) =>
            world.update((before) => ({ ...before, users: before.users.filter((user) => user !== gone) }))
          ),
        getConversations: ({ params, query }) =>
          Effect.map(find(params.userId), (user) => ({
            total: user.conversations.length,
            conversations: slice(details(user).conversations, query)
          })),
        putConversations: ({ params, payload }) =>
          Effect.flatMap(find(params.userId), (user) => putUser({ ...user, conversations: payload }))
      })
    })
  )

const settingsHandlers = HttpApiBuilder.group(api, "settings", (handlers) =>
  Emulator.useSync(({ clock, gauges, quota, reading }) => {
    const quotaView = Effect.map(Effect.all([quota.get, gauges]), ([current, shown]) => ({
      quota: current,
      description: ServiceQuota.describe(current),
      gauges: shown.map((gauge) => ({
        ...gauge,
        action: gauge.action ?? null,
        description: ServiceQuota.describe(gauge.quota),
        available: Number.isFinite(gauge.available) ? gauge.available : null,
        wait: gauge.wait ?? null
      }))
    }))
    const clockView = Effect.all({ clock: clock.get, shown: clock.now, real: Clock.currentTimeMillis })
    return handlers.handleAll({
      getQuota: () => quotaView,
      putQuota: ({ payload }) => Effect.andThen(quota.set(payload), quotaView),
      getClock: () => clockView,
      putClock: ({ payload }) => Effect.andThen(clock.set(payload), clockView),
      stepClock: ({ payload }) => Effect.andThen(clock.step(payload.by), clockView),
      getReading: () => reading.get,
      putReading: ({ payload }) => Effect.as(reading.set(payload), payload)
    })
  })
)

const faultsHandlers = HttpApiBuilder.group(api, "faults", (handlers) =>
  Emulator.useSync(({ faults }) => {
    let named = 0
    const idOf = memoize<Fault.Fault, string>(() => String(++named))
    const view = Effect.map(faults.get, (set) =>
      set.map((fault) => ({
        id: idOf(fault),
        description: Fault.describe(fault),
        json: Option.getOrNull(FaultJson.toSpec(fault))
      }))
    )
    return handlers.handleAll({
      getFaults: () => view,
      putFaults: ({ payload }) => Effect.andThen(faults.set(payload.map(FaultJson.fromSpec)), view),
      addFault: ({ payload }) =>
        Effect.andThen(
          faults.update((before) => [...before, ...[payload].flat().map(FaultJson.fromSpec)]),
          view
        ),
      deleteFaults: () => faults.set([]),
      deleteFault: Effect.fnUntraced(function* ({ params: { id } }) {
        const gone = (yield* faults.get).find((fault) => idOf(fault) === id)
        if (gone === undefined) return yield* new AdminApi.AdminNotFound({ problem: `there is no fault ${id}` })
        yield* faults.update((before) => before.toSpliced(before.indexOf(gone), 1))
        return yield* view
      })
    })
  })
)

const changesHandlers = HttpApiBuilder.group(api, "changes", (handlers) =>
  Emulator.useSync(({ change }) =>
    handlers.handleAll({
      message: ({ payload }) => change({ type: "message", ...payload }),
      createGroup: ({ payload }) => change({ type: "createGroup", ...payload }),
      disband: ({ payload }) => change({ type: "disband", ...payload }),
      register: ({ payload }) => change({ type: "register", ...payload }),
      kick: ({ payload }) => change({ type: "kick", ...payload }),
      change: ({ payload }) => change(payload)
    })
  )
)

const snapshotsHandlers = HttpApiBuilder.group(api, "snapshots", (handlers) =>
  Emulator.useSync((emulator) => {
    const kept = new Map<string, Snapshot>()
    const freeName = (): string => {
      let number = kept.size + 1
      while (kept.has(`snapshot-${number}`)) number++
      return `snapshot-${number}`
    }
    return handlers.handleAll({
      listSnapshots: () => Effect.sync(() => [...kept.keys()]),
      snapshot: ({ payload }) =>
        Effect.map(emulator.snapshot, (snapshot) => {
          const name = payload.name ?? freeName()
          kept.set(name, snapshot)
          return { name }
        }),
      restore: Effect.fnUntraced(function* ({ payload: { name } }) {
        const snapshot = kept.get(name)
        if (snapshot === undefined)
          return yield* new AdminApi.AdminNotFound({ problem: `there is no snapshot ${name}` })
        yield* emulator.restore(snapshot)
      }),
      reset: () => emulator.reset
    })
  })
)

const journalHandlers = HttpApiBuilder.group(api, "journal", (handlers) =>
  Emulator.useSync(({ journal }) =>
    handlers.handleAll({
      getJournal: ({ query }) => Effect.map(journal.entries, (entries) => Journal.query(entries, query)),
      getStats: ({ query }) =>
        Effect.map(journal.entries, (entries) => Journal.stats(Journal.query(entries, query), query.window)),
      live: () => Effect.succeed(journal.live),
      deleteJournal: () => journal.clear
    })
  )
)

const checkJson = Effect.mapError(
  HttpServerRequest.HttpServerRequest.use(({ json }) => Effect.asVoid(json)),
  () => invalid("Body: it is not JSON")
)

const validation = Layer.succeed(AdminApi.Validation, (app, { endpoint }) =>
  Effect.andThen(endpoint.payload.size === 0 ? Effect.void : checkJson, app).pipe(
    Effect.mapError((error) =>
      HttpApiError.HttpApiSchemaError.is(error)
        ? invalid(`${error.kind === "Payload" ? "Body" : error.kind}: ${error.cause.message}`)
        : error
    )
  )
)

/** The API, served. `url` is where the emulator itself is. */
export const layer = (url: string | undefined) =>
  HttpApiBuilder.layer(api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide([
      worldHandlers(url),
      changesHandlers,
      snapshotsHandlers,
      faultsHandlers,
      settingsHandlers,
      journalHandlers
    ]),
    Layer.provide(validation)
  )
