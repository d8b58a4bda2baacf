/**
 * A world that prints as a short table, and remembers whom to ask for: users who are registered, and strangers.
 */
import { UserId } from "@effect-zim/protocol"
import type { World } from "@effect-zim/emulator"
import * as InWords from "./internal/textForPeople.ts"

/** So many conversations of a list are named where a world is printed, half of them from its beginning. */
const named = 6

const listOf = (user: World.User): string => {
  const list = user.conversations.toSorted((a, b) => a.UpdateTime - b.UpdateTime)
  const texts = list.map((wire, i) => {
    const isAtSameTime = list[i - 1]?.UpdateTime === wire.UpdateTime
    return `${InWords.conversation(wire)}${isAtSameTime ? " (same time)" : ""}`
  })
  const shown = texts.length <= named ? texts : [...texts.slice(0, named / 2), "...", ...texts.slice(-named / 2)]
  return shown.join(", ")
}

const rowOf = (user: World.User): string => {
  const length = user.conversations.length
  return `user ${user.userId}: ${length === 0 ? "no conversations" : `${InWords.count(length, "conversation")}: ${listOf(user)}`}`
}

/**
 * A world for a test. It is a `World` of `@effect-zim/emulator`, with the users who are asked for although they are not
 * registered, and it prints as a table: one user a line, the conversations from the oldest to the newest.
 *
 * @example
 * ```ts
 * import { World } from "@effect-zim/emulator"
 * import { TestWorld } from "@effect-zim/testing"
 *
 * const world = new TestWorld.TestWorld(World.generate({ seed: 1, users: 2 }))
 * console.log(String(world))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export class TestWorld extends InWords.InWords implements World.World {
  readonly apps: World.World["apps"]
  readonly users: World.World["users"]
  /** Users who are asked for but not registered. */
  readonly strangers: ReadonlyArray<UserId.UserId>

  constructor(world: World.World, strangers: ReadonlyArray<string> = []) {
    super()
    this.apps = world.apps
    this.users = world.users
    this.strangers = strangers.map(UserId.make)
  }

  /** Everybody to be asked for: the registered users, then the strangers. */
  get userIds(): ReadonlyArray<UserId.UserId> {
    return [...this.users.map(({ userId }) => userId), ...this.strangers]
  }

  override toString(): string {
    const rows = [...this.users.map(rowOf), ...this.strangers.map((userId) => `user ${userId}: not registered`)]
    return rows.length === 0 ? "no users" : rows.join("\n")
  }
}
