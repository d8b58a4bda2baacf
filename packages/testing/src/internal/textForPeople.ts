import { Conversation } from "@effect-zim/protocol"
import * as Inspectable from "effect/Inspectable"

/** A value that prints as text for people, wherever a test runner or a log prints it. */
export abstract class InWords extends Inspectable.Class {
  abstract override toString(): string

  toJSON(): string {
    return this.toString()
  }
}

/** `1 conversation`, `2 conversations`. */
export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`

/** The first few, and how many more there are. */
export const some = (items: ReadonlyArray<string>, atMost: number, separator = ", "): string =>
  items.length <= atMost
    ? items.join(separator)
    : `${items.slice(0, atMost).join(separator)}${separator}and ${items.length - atMost} more`

const typeNames: ReadonlyMap<number, string> = new Map([
  [Conversation.typeCodes.OneToOne, "peer"],
  [Conversation.typeCodes.Group, "group"]
])

/** A conversation's type and id, which tell it apart from all others of a list: `group:7`, `peer:ada`. */
export const conversation = ({ ConvId, ConvType }: Pick<Conversation.Wire, "ConvId" | "ConvType">): string => {
  const type = ConvType ?? Conversation.typeCodes.OneToOne
  return `${typeNames.get(type) ?? `type ${type}`}:${ConvId}`
}
