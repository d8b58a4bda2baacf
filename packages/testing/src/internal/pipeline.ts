import type { Conversation } from "@effect-zim/protocol"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Services } from "../ZimTest.ts"

/**
 * What a pipeline gives for a conversation: the conversation itself, anything with its id (and the code of its type,
 * where that is known), or the id alone.
 */
export type Result = string | { readonly id: string; readonly typeCode?: number | undefined }

/**
 * A pipeline under test: for a user id, a stream of results, or an effect of all of them. It may ask for the client, for
 * the HTTP client (to make clients of its own), and for the emulator.
 */
export type Pipeline<E> = (
  userId: string
) => Stream.Stream<Result, E, Services> | Effect.Effect<Iterable<Result>, E, Services>

/** Which conversations a pipeline is meant to give. */
export type Where = (conversation: Conversation.Conversation) => boolean
