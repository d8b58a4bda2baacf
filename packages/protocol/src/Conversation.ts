/**
 * One entry of a user's conversation list.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as WireJson from "./WireJson.ts"

/** The range of an ECMAScript date, in milliseconds on both sides of the epoch. */
const maximumMillis = 8.64e15

/**
 * A conversation as the service sends it. `ConvType` is left out for some one-to-one conversations.
 *
 * Source: contract, section 1, `List[]`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Wire = Schema.Struct({
  ConvId: Schema.String,
  ConvType: Schema.optional(Schema.NullOr(Schema.Int)),
  UpdateTime: Schema.Int.check(
    Schema.isBetween({ minimum: -maximumMillis, maximum: maximumMillis }, { expected: "milliseconds since the epoch" })
  )
}).annotate({ identifier: "@effect-zim/protocol/Conversation" })

/**
 * An entry of `List` as it arrived.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Wire extends Schema.Schema.Type<typeof Wire> {}

/**
 * Whether an entry is a {@link Wire} without any integer that `JSON.parse` has rounded. By hand, since pages have
 * hundreds: many times faster than `Schema.is` and `WireJson.hasRounded`, whose answers it gives.
 *
 * @example
 * ```ts
 * import { Conversation } from "@effect-zim/protocol"
 *
 * Conversation.isExact({ ConvId: "group-7", ConvType: 2, UpdateTime: 1708254395000 }) // true
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isExact = (entry: unknown): entry is Wire => {
  if (!Predicate.isObject(entry)) return false
  const { ConvId: id, ConvType: type, UpdateTime: time } = entry
  if (typeof id !== "string" || !(type === undefined || type === null || Number.isSafeInteger(type))) return false
  if (typeof time !== "number" || !Number.isSafeInteger(time) || Math.abs(time) > maximumMillis) return false
  for (const key in entry) {
    if (key !== "ConvId" && key !== "ConvType" && key !== "UpdateTime" && WireJson.hasRounded(entry[key])) return false
  }
  return true
}

/**
 * What kind of conversation it is. `Unknown` stands for a code this version has no name for: see
 * {@link Conversation.typeCode}.
 *
 * @category models
 * @since 0.1.0
 */
export type ConversationType = "OneToOne" | "Group" | "Unknown"

/**
 * The codes of the conversation types that this operation is documented to return.
 *
 * @category constants
 * @since 0.1.0
 */
export const typeCodes = { OneToOne: 0, Group: 2 } as const

/**
 * A conversation: with a peer (`OneToOne`), whose user id is `id`, or of a group (`Group`), whose group id is `id`.
 *
 * Two conversations are equal (`Equal.equals`) when their raw entries are. Prints as id, type, type code and time.
 *
 * @example
 * ```ts
 * import { Conversation } from "@effect-zim/protocol"
 *
 * const conversation = new Conversation.Conversation({ ConvId: "conv1", ConvType: 2, UpdateTime: 1708254395000 })
 * conversation.type // "Group"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export class Conversation extends Inspectable.Class {
  /** The entry as it arrived; with the fields that this version does not know, where it was checked with `Schema.is`. */
  readonly raw: Wire
  #updatedAt: DateTime.Utc | undefined

  constructor(raw: Wire) {
    super()
    this.raw = raw
  }

  /** The peer's user id, or the group's id. */
  get id(): string {
    return this.raw.ConvId
  }

  /** The type's code: 0 where the service left it out. */
  get typeCode(): number {
    return this.raw.ConvType ?? typeCodes.OneToOne
  }

  get type(): ConversationType {
    return this.typeCode === typeCodes.OneToOne ? "OneToOne" : this.typeCode === typeCodes.Group ? "Group" : "Unknown"
  }

  /** The last change. Made on first use: most pipelines read only a few of them. */
  get updatedAt(): DateTime.Utc {
    return (this.#updatedAt ??= DateTime.makeUnsafe(this.raw.UpdateTime))
  }

  /** The last change, in milliseconds since the epoch. */
  get updatedAtMillis(): number {
    return this.raw.UpdateTime
  }

  override toJSON(): unknown {
    return { id: this.id, type: this.type, typeCode: this.typeCode, updatedAt: DateTime.formatIso(this.updatedAt) }
  }
}

/**
 * Conversations as a schema: on the wire they are as the service sends them. By it a conversation crosses a process, in
 * JSON and in Effect's binary format. Fields that this version does not know stay behind.
 *
 * @example
 * ```ts
 * import { Conversation } from "@effect-zim/protocol"
 * import { Schema } from "effect"
 *
 * const encode = Schema.encodeSync(Schema.fromJsonString(Conversation.FromWire))
 * encode(new Conversation.Conversation({ ConvId: "ada", UpdateTime: 1708254395000 }))
 * // {"ConvId":"ada","UpdateTime":1708254395000}
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromWire = /* @__PURE__ */ (() =>
  Wire.pipe(
    Schema.decodeTo(
      Schema.instanceOf(Conversation),
      SchemaTransformation.transform({
        decode: (wire) => new Conversation(wire),
        encode: (conversation) => conversation.raw
      })
    )
  ))()

/**
 * What tells conversations apart: type and id. The same id can name a peer and a group.
 *
 * @example
 * ```ts
 * import { Conversation } from "@effect-zim/protocol"
 *
 * const peers = new Map<string, Conversation.Conversation>()
 * const keep = (conversation: Conversation.Conversation) => peers.set(Conversation.key(conversation), conversation)
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const key = (conversation: Conversation): string => `${conversation.typeCode}:${conversation.id}`
