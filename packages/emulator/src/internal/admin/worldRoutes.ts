import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AdminApi from "../../AdminApi.ts"
import { Emulator } from "../../Emulator.ts"
import * as World from "../../World.ts"
import * as ConversationPages from "../operations/conversationPages.ts"

const details = (user: World.User): typeof AdminApi.UserDetails.Type => ({
  userId: user.userId,
  conversations: ConversationPages.arranged(user.conversations),
  kickedFrom: user.kickedFrom ?? []
})

const badRequest = (error: { readonly message: string }): AdminApi.AdminRequestInvalid =>
  new AdminApi.AdminRequestInvalid({ problem: error.message })

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Puts the secrets of the apps there are back where they are redacted. */
const withSecrets = (json: unknown, apps: World.World["apps"]): unknown => {
  if (!isRecord(json) || !Array.isArray(json["apps"])) return json
  const restored = json["apps"].map((app: unknown) => {
    if (!isRecord(app) || app["serverSecret"] !== AdminApi.redacted) return app
    const known = apps.find(({ appId }) => appId === app["appId"])
    return known === undefined ? app : { ...app, serverSecret: Redacted.value(known.serverSecret) }
  })
  return { ...json, apps: restored }
}

const checkUser = Schema.decodeUnknownEffect(World.User)

const slice = <A>(
  items: ReadonlyArray<A>,
  { limit = 100, offset = 0 }: { readonly limit?: number | undefined; readonly offset?: number | undefined }
): ReadonlyArray<A> => items.slice(offset, offset + limit)

export const layer = (url: string | undefined) =>
  HttpApiBuilder.group(
    AdminApi.AdminApi,
    "world",
    Effect.fnUntraced(function* (handlers) {
      const { faults, journal, world } = yield* Emulator
      const find = Effect.fnUntraced(function* (userId: string) {
        const user = (yield* world.get).users.find((user) => user.userId === userId)
        return user ?? (yield* new AdminApi.AdminNotFound({ problem: `${userId} is not registered` }))
      })
      /** Puts a user in place of the one of the same id, or adds one. */
      const putUser = Effect.fnUntraced(function* (json: unknown) {
        const user = yield* Effect.mapError(checkUser(json), badRequest)
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
        putWorld: ({ payload }) =>
          Effect.gen(function* () {
            const { apps } = yield* world.get
            const read = yield* Effect.mapError(World.decode(withSecrets(payload, apps)), badRequest)
            const known = read.apps.every((app) => Redacted.value(app.serverSecret) !== AdminApi.redacted)
            if (!known) {
              return yield* new AdminApi.AdminRequestInvalid({ problem: "an app that is new needs its serverSecret" })
            }
            yield* world.set(read)
          }),
        listUsers: ({ query }) =>
          Effect.map(world.get, ({ users }) => {
            const { search } = query
            const found = search === undefined ? users : users.filter(({ userId }) => userId.includes(search))
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
