import { Conversation } from "@effect-zim/protocol"
import * as Inspectable from "effect/Inspectable"

/** A value that prints as text for people, wherever a test runner or a log prints it. */
export abstract class InWords extends Inspectable.Class {
  abstract override toString(): string

  toJSON(): string {
    return this.toString()
  }
}

/** Every line further to the right. */
export const indent = (text: string, by = "  "): string =>
  text
    .split("\n")
    .map((line) => `${by}${line}`)
    .join("\n")

/** `1 conversation`, `2 conversations`. */
export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`

/** The first few, and how many more there are. */
export const some = (items: ReadonlyArray<string>, atMost: number, separator = ", "): string =>
  items.length <= atMost
    ? items.join(separator)
    : `${items.slice(0, atMost).join(separator)}${separator}and ${items.length - atMost} more`

/** A conversation's type and id, which tell it apart from all others of a list: `group:7`, `peer:ada`. */
export const conversation = ({ ConvId, ConvType }: Pick<Conversation.Wire, "ConvId" | "ConvType">): string => {
  const type = ConvType ?? Conversation.typeCodes.OneToOne
  switch (type) {
    case Conversation.typeCodes.OneToOne:
      return `peer:${ConvId}`
    case Conversation.typeCodes.Group:
      return `group:${ConvId}`
    default:
      return `type ${type}:${ConvId}`
  }
}
