import { Conversation } from "@effect-zim/protocol"

/** A conversation's type and id, as the messages of this package call it: `group:7`, `peer:ada`. */
export const describe = (wire: Pick<Conversation.Wire, "ConvId" | "ConvType">): string => {
  const type = wire.ConvType ?? Conversation.typeCodes.OneToOne
  switch (type) {
    case Conversation.typeCodes.OneToOne:
      return `peer:${wire.ConvId}`
    case Conversation.typeCodes.Group:
      return `group:${wire.ConvId}`
    default:
      return `type ${type}:${wire.ConvId}`
  }
}

/** What tells conversations apart. */
export const keyOf = (wire: Pick<Conversation.Wire, "ConvId" | "ConvType">): string =>
  `${wire.ConvType ?? Conversation.typeCodes.OneToOne}:${wire.ConvId}`
