/**
 * What happens in a world while it is read: messages, groups, users.
 *
 * A change is a plain value, so a test can generate a list of them, and the admin API takes them as JSON. {@link apply}
 * gives another world; `Emulator.change` does it to the running one.
 *
 * @example
 * ```ts
 * import { Emulator } from "@effect-zim/emulator"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* Emulator.Emulator
 *   yield* emulator.change({ type: "message", from: "user-1", to: "user-2" })
 *   yield* emulator.change({ type: "kick", group: "group-7", userId: "user-1" })
 * })
 * ```
 */
import { Conversation, UserId } from "@effect-zim/protocol"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as World from "./World.ts"

/** The end of ECMAScript's time: no entry can be later. */
const latest = 8.64e15
const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: latest }))
const GroupId = Schema.String.check(Schema.isNonEmpty())
// The same as `UserId`, but in code a plain text will do.
const LegalUserId = Schema.make<Schema.Codec<string>>(UserId.UserId.ast)

/** When it happens, in milliseconds since the epoch. Left out: now, but later than all that its users have seen. */
const time = Schema.optionalKey(Millis)

/**
 * What a change of each type says.
 *
 * @category schemas
 * @since 0.1.0
 */
export const fields = {
  message: {
    from: Schema.String,
    to: Schema.optionalKey(LegalUserId),
    group: Schema.optionalKey(GroupId),
    time
  },
  createGroup: { group: GroupId, members: Schema.Array(Schema.String), time },
  disband: { group: GroupId },
  register: { userId: LegalUserId },
  kick: { group: GroupId, userId: Schema.String }
}

/**
 * Something that happens.
 *
 * - `message`: `from` sends a message `to` a user or to a `group`. It moves the conversation to the end of the list of
 *   everyone concerned: of both users (as far as they are registered), or of the group's members. In a group, only its
 *   members can write.
 * - `createGroup`: the group appears in the lists of its `members`. A member who had been kicked out is one again.
 * - `disband`: the group disappears from every list, and cannot be created again.
 * - `register`: the user exists from now on, with an empty list.
 * - `kick`: the user is no longer a member of the group. The conversation stays, and new messages no longer move it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WorldChange = Schema.Union([
  Schema.Struct({ type: Schema.Literal("message"), ...fields.message }),
  Schema.Struct({ type: Schema.Literal("createGroup"), ...fields.createGroup }),
  Schema.Struct({ type: Schema.Literal("disband"), ...fields.disband }),
  Schema.Struct({ type: Schema.Literal("register"), ...fields.register }),
  Schema.Struct({ type: Schema.Literal("kick"), ...fields.kick })
]).annotate({
  identifier: "@effect-zim/emulator/Change",
  message: "Expected a change whose type is one of message, createGroup, disband, register, kick"
})

/**
 * The type of {@link WorldChange}.
 *
 * @category schemas
 * @since 0.1.0
 */
export type WorldChange = typeof WorldChange.Type

/**
 * A change as JSON has it.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = typeof WorldChange.Encoded

/**
 * A change that makes no sense in this world; `problem` says why. The world stays as it is.
 *
 * @category errors
 * @since 0.1.0
 */
export class ChangeRefused extends Schema.TaggedError<ChangeRefused>("@effect-zim/emulator/ChangeRefused")(
  "ChangeRefused",
  { problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message(): string {
    return `the world cannot change so: ${this.problem}`
  }
}

const refuse = (problem: string): Result.Result<never, ChangeRefused> => Result.fail(new ChangeRefused({ problem }))

const notRegistered = (userId: string) => refuse(`${userId} is not registered`)

const find = (world: World.World, userId: string): World.User | undefined =>
  world.users.find((user) => user.userId === userId)

const groupEntry = (group: string) => ({ ConvId: group, ConvType: Conversation.typeCodes.Group })

const isGroup = (conversation: Conversation.Wire, group: string): boolean =>
  conversation.ConvId === group && conversation.ConvType === Conversation.typeCodes.Group

const isMember = (user: World.User, group: string): boolean =>
  user.kickedFrom?.includes(group) !== true && user.conversations.some((entry) => isGroup(entry, group))

/** Later than everything in these users' lists, and not before now. */
const later = (users: ReadonlyArray<World.User>, now: number): number =>
  users.reduce(
    (time, user) =>
      user.conversations.reduce((max, entry) => Math.max(max, Math.min(entry.UpdateTime + 1, latest)), time),
    now
  )

/** Puts an entry into the lists of these users. */
const deliver = (
  world: World.World,
  users: ReadonlyArray<World.User>,
  entryOf: (user: World.User) => Omit<Conversation.Wire, "UpdateTime">,
  time: number
): World.World => {
  const concerned = new Set(users)
  return {
    ...world,
    users: world.users.map((user) =>
      concerned.has(user) ? World.putInto(user, { ...entryOf(user), UpdateTime: time }) : user
    )
  }
}

const { match } = Schema.toTaggedUnion("type")(WorldChange)

type Of<Type extends WorldChange["type"]> = Extract<WorldChange, { readonly type: Type }>
type Changed = Result.Result<World.World, ChangeRefused>

const message = (world: World.World, change: Of<"message">, now: number): Changed => {
  const { from, group, time, to } = change
  const sender = find(world, from)
  if (sender === undefined) return notRegistered(from)
  if ((group === undefined) === (to === undefined)) return refuse("a message goes to a user or to a group")
  if (group !== undefined) {
    if (!isMember(sender, group)) return refuse(`${from} is no member of ${group}`)
    const members = world.users.filter((user) => isMember(user, group))
    return Result.succeed(deliver(world, members, () => groupEntry(group), time ?? later(members, now)))
  }
  if (to === undefined || from === to) return refuse("nobody writes to themselves")
  const both = world.users.filter((user) => user === sender || user.userId === to)
  const entryOf = (user: World.User) => ({
    ConvId: user === sender ? to : from,
    ConvType: Conversation.typeCodes.OneToOne
  })
  return Result.succeed(deliver(world, both, entryOf, time ?? later(both, now)))
}

const createGroup = (world: World.World, { group, members, time }: Of<"createGroup">, now: number): Changed => {
  if (world.disbanded?.includes(group) === true) return refuse(`${group} was disbanded`)
  const unknown = members.find((userId) => find(world, userId) === undefined)
  if (unknown !== undefined) return notRegistered(unknown)
  const joined = {
    ...world,
    users: world.users.map((user) =>
      members.includes(user.userId) && user.kickedFrom?.includes(group) === true
        ? { ...user, kickedFrom: user.kickedFrom.filter((other) => other !== group) }
        : user
    )
  }
  const users = joined.users.filter((user) => members.includes(user.userId))
  return Result.succeed(deliver(joined, users, () => groupEntry(group), time ?? later(users, now)))
}

const disband = (world: World.World, { group }: Of<"disband">): Changed => {
  if (world.disbanded?.includes(group) === true) return refuse(`${group} was disbanded before`)
  const isThere = world.users.some((user) => user.conversations.some((entry) => isGroup(entry, group)))
  if (!isThere) return refuse(`there is no group ${group}`)
  const without = World.removeConversation(world, groupEntry(group))
  return Result.succeed({ ...without, disbanded: [...(world.disbanded ?? []), group] })
}

const kick = (world: World.World, { group, userId }: Of<"kick">): Changed => {
  const kicked = find(world, userId)
  if (kicked === undefined) return notRegistered(userId)
  if (!isMember(kicked, group)) return refuse(`${userId} is no member of ${group}`)
  const changed = { ...kicked, kickedFrom: [...(kicked.kickedFrom ?? []), group] }
  return Result.succeed({ ...world, users: world.users.map((user) => (user === kicked ? changed : user)) })
}

/**
 * The world after a change. `now` is the time in milliseconds since the epoch, for changes that do not say when.
 *
 * @example
 * ```ts
 * import { World, WorldChange } from "@effect-zim/emulator"
 *
 * const world = World.generate({ seed: 1, users: 2 })
 * const changed = WorldChange.apply(world, { type: "message", from: "user-1", to: "user-2" }, 1767225600000)
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const apply = (world: World.World, change: WorldChange, now: number): Changed =>
  match(change, {
    message: (change) => message(world, change, now),
    createGroup: (change) => createGroup(world, change, now),
    disband: (change) => disband(world, change),
    register: ({ userId }): Changed => Result.succeed(World.register(world, UserId.make(userId))),
    kick: (change) => kick(world, change)
  })
