/**
 * What the emulator serves: apps with their secrets, registered users, and each user's conversations.
 *
 * A world is an immutable value. It comes from a JSON file ({@link parse}), from code ({@link make}) or from a seed
 * ({@link generate}); the functions that change one return another. A user who is not in it is not registered.
 */
import { AppId, Conversation, UserId } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Schema from "effect/Schema"
import * as GenerateWorld from "./internal/generateWorld.ts"
import { count, inRange } from "./internal/inRange.ts"
import * as ServiceQuota from "./ServiceQuota.ts"

/**
 * An app of the vendor's console: its id, the secret that signs its calls, and its own quota, if it has one.
 *
 * @category schemas
 * @since 0.1.0
 */
export const App = Schema.Struct({
  appId: AppId.AppId,
  serverSecret: ServerSecret.ServerSecret,
  /** The app's own quota, in place of the emulator's. */
  quota: Schema.optionalKey(ServiceQuota.ServiceQuota)
})

/**
 * The type of {@link App}.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface App extends Schema.Schema.Type<typeof App> {}

/** Items of a list that are told apart by a key. The issue is at the field of this name. */
const unique = <A>(key: (item: A) => string | number, field: string, issue: string) =>
  Schema.makeFilter((items: ReadonlyArray<A>) => {
    const seen = new Set<string | number>()
    const index = items.findIndex((item) => seen.size === seen.add(key(item)).size)
    return index < 0 || { path: [index, field], issue }
  })

const keyOf = (conversation: Conversation.Wire): string =>
  `${conversation.ConvType ?? Conversation.typeCodes.OneToOne}:${conversation.ConvId}`

/**
 * A registered user and the user's conversations, in any order. `conversations` may be left out for a user who has
 * none. A conversation without `ConvType` is one-to-one, and is always answered without it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const User = Schema.Struct({
  userId: UserId.UserId,
  conversations: Schema.Array(Conversation.Wire)
    .check(unique(keyOf, "ConvId", "a conversation occurs once in a list"))
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  /** The groups that this user was kicked out of: their conversations stay, and new messages no longer move them. */
  kickedFrom: Schema.optionalKey(Schema.Array(Schema.String))
})

/**
 * The type of {@link User}.
 *
 * @category schemas
 * @since 0.1.0
 */
export type User = typeof User.Type

/**
 * The schema of a world. On the encoded side it is the world file:
 *
 * ```json
 * {
 *   "apps": [{ "appId": 12345, "serverSecret": "9193cc662a4c0ec135ec71fb57194b38" }],
 *   "users": [{ "userId": "u1", "conversations": [{ "ConvId": "conv1", "ConvType": 2, "UpdateTime": 1708254395000 }] }]
 * }
 * ```
 *
 * Every user is registered with every app. An app, a user and a conversation occur once.
 *
 * @category schemas
 * @since 0.1.0
 */
export const World = Schema.Struct({
  apps: Schema.Array(App).check(unique(({ appId }) => appId, "appId", "an app occurs once")),
  users: Schema.Array(User).check(unique(({ userId }) => userId, "userId", "a user occurs once")),
  /** The groups that were disbanded: they are in nobody's list, and cannot be created again. */
  disbanded: Schema.optionalKey(Schema.Array(Schema.String))
})

/**
 * The type of {@link World}.
 *
 * @category schemas
 * @since 0.1.0
 */
export type World = typeof World.Type

/**
 * A world as its JSON file has it.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = typeof World.Encoded

/**
 * A world that cannot be read. `problem` names the place that is wrong and never repeats a value, so no secret is in it.
 *
 * @category errors
 * @since 0.1.0
 */
export class WorldUnreadable extends Schema.TaggedError<WorldUnreadable>("@effect-zim/emulator/WorldUnreadable")(
  "WorldUnreadable",
  { problem: Schema.String }
) {
  override get message(): string {
    return `this is no world: ${this.problem}`
  }
}

const unreadable = (problem: string): WorldUnreadable => new WorldUnreadable({ problem })

/**
 * Reads a world from parsed JSON. Fails with {@link WorldUnreadable}.
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 *
 * const world = World.decode({ apps: [{ appId: 12345, serverSecret: "s3cret" }], users: [{ userId: "u1" }] })
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const decode = (json: unknown): Effect.Effect<World, WorldUnreadable> =>
  Effect.mapError(Schema.decodeUnknownEffect(World)(json), (error) => unreadable(error.message))

// What JSON.parse says of a syntax error quotes the text around it, which may be a secret: only the place is kept.
const syntaxProblem = (error: unknown): string => {
  const place = /position [0-9]+(?: \(line [0-9]+ column [0-9]+\))?/.exec(String(error))
  return place === null ? "it is not valid JSON" : `it is not valid JSON, see ${place[0]}`
}

/**
 * Reads a world from the text of a world file. Fails with {@link WorldUnreadable}.
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 * import * as Effect from "effect/Effect"
 *
 * const program = World.parse(`{"apps":[{"appId":12345,"serverSecret":"s3cret"}],"users":[{"userId":"u1"}]}`)
 * Effect.runSync(program).users.length // 1
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const parse = (text: string): Effect.Effect<World, WorldUnreadable> =>
  Effect.flatMap(
    Effect.try({ try: (): unknown => JSON.parse(text), catch: (error) => unreadable(syntaxProblem(error)) }),
    decode
  )

/**
 * Makes a world in code, from the same plain values that the file has. Throws on a wrong one: {@link decode} fails with
 * a typed error instead.
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 *
 * const world = World.make({
 *   apps: [{ appId: 12345, serverSecret: "9193cc662a4c0ec135ec71fb57194b38" }],
 *   users: [{ userId: "u1", conversations: [{ ConvId: "conv1", ConvType: 2, UpdateTime: 1708254395000 }] }]
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (json: Json) => World = Schema.decodeSync(World)

/**
 * Makes a world of realistic shape; the same options give the same world.
 *
 * The users are called `user-1`, `user-2` and so on. The lengths of their lists have a long tail: most have dozens of
 * conversations, some none, and among 25 or more users at least one has more than the 1000 that the service keeps in
 * reach (up to 5000). Both kinds of conversations occur, and some have equal times. Some peers are users who are not
 * registered, some groups were disbanded (`disbanded` names them), and some users were kicked out of a group
 * (`kickedFrom`).
 *
 * @param options.seed any number or text
 * @param options.users how many users, 0 or more: a whole number, else it throws a `RangeError`
 * @param options.appId default 12345
 * @param options.serverSecret default: made from the seed
 * @param options.now the latest time possible, in milliseconds since the epoch; default the start of 2026
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 *
 * const world = World.generate({ seed: "demo", users: 40 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const generate = (options: {
  readonly seed: number | string
  readonly users: number
  readonly appId?: number | undefined
  readonly serverSecret?: ServerSecret.ServerSecret | undefined
  readonly now?: number | undefined
}): World => ({
  apps: [
    {
      appId: AppId.make(options.appId ?? 12345),
      serverSecret: options.serverSecret ?? ServerSecret.make(GenerateWorld.secret(options.seed))
    }
  ],
  ...GenerateWorld.people(
    options.seed,
    count("World.generate's users", options.users),
    timeOf(options.now ?? 1_767_225_600_000)
  )
})

const timeOf = (now: number): number =>
  inRange("World.generate's now", now, Number.isSafeInteger(now) && now >= 0, "a time in milliseconds since the epoch")

/**
 * Legal user ids that are not registered in a world: `stranger-1`, `stranger-2` and so on.
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 *
 * World.unregistered(World.generate({ seed: 1, users: 10 }), 2) // ["stranger-1", "stranger-2"]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const unregistered = (world: World, wanted: number): ReadonlyArray<UserId.UserId> => {
  const registered = new Set<string>(world.users.map((user) => user.userId))
  const ids: Array<UserId.UserId> = []
  count("World.unregistered's count", wanted)
  for (let i = 1; ids.length < wanted; i++) {
    const id = UserId.make(`stranger-${i}`)
    if (!registered.has(id)) ids.push(id)
  }
  return ids
}

/**
 * Registers a user; does nothing where the user is registered already.
 *
 * @example
 * ```ts
 * import { UserId } from "@effect-zim/protocol"
 * import { World } from "@effect-zim/emulator"
 *
 * const world = World.register(World.generate({ seed: 1, users: 10 }), UserId.make("newcomer"))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const register: {
  (userId: UserId.UserId): (world: World) => World
  (world: World, userId: UserId.UserId): World
} = dual(2, (world: World, userId: UserId.UserId): World =>
  world.users.some((user) => user.userId === userId)
    ? world
    : { ...world, users: [...world.users, { userId, conversations: [] }] }
)

/**
 * The user with this conversation in place of the one of the same type and id.
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 *
 * const later = (user: World.User): World.User =>
 *   World.putInto(user, { ConvId: "group-7", ConvType: 2, UpdateTime: 1767225600001 })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const putInto = (user: User, conversation: Conversation.Wire): User => {
  const key = keyOf(conversation)
  return { ...user, conversations: [...user.conversations.filter((other) => keyOf(other) !== key), conversation] }
}

const checkConversation = Schema.decodeSync(Conversation.Wire)

/**
 * Puts a conversation into a registered user's list, in place of the one of the same type and id: what a new message
 * does. Throws on one that no answer could hold, such as one with a fractional time.
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 *
 * const world = World.generate({ seed: 1, users: 1 })
 * const later = World.putConversation(world, "user-1", { ConvId: "group-7", ConvType: 2, UpdateTime: 1767225600001 })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const putConversation: {
  (userId: string, conversation: Conversation.Wire): (world: World) => World
  (world: World, userId: string, conversation: Conversation.Wire): World
} = dual(3, (world: World, userId: string, conversation: Conversation.Wire): World => {
  const checked = checkConversation(conversation)
  return { ...world, users: world.users.map((user) => (user.userId === userId ? putInto(user, checked) : user)) }
})

/**
 * Takes a conversation out of every list: what disbanding a group does.
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 *
 * const world = World.generate({ seed: 1, users: 10 })
 * const disbanded = World.removeConversation(world, { ConvId: "group-7", ConvType: 2 })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const removeConversation: {
  (conversation: Pick<Conversation.Wire, "ConvId" | "ConvType">): (world: World) => World
  (world: World, conversation: Pick<Conversation.Wire, "ConvId" | "ConvType">): World
} = dual(2, (world: World, conversation: Pick<Conversation.Wire, "ConvId" | "ConvType">): World => {
  const key = keyOf({ ...conversation, UpdateTime: 0 })
  return {
    ...world,
    users: world.users.map((user) =>
      user.conversations.some((other) => keyOf(other) === key)
        ? { ...user, conversations: user.conversations.filter((other) => keyOf(other) !== key) }
        : user
    )
  }
})
