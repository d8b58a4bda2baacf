/**
 * One HTTP exchange as the emulator sees it, whatever carries it: a socket or a call in the same process.
 */
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"

/**
 * A request as it arrived.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  /** In capitals. */
  readonly method: string
  /** Path and query: `/?Action=...`. */
  readonly target: string
  /** The `Content-Type` header. */
  readonly contentType: string | undefined
  /** The body's text; `undefined` where it could not be read: cut off, or too long. */
  readonly body: string | undefined
}

/**
 * The connection is lost: before the answer, or in the middle of its body.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionLost extends Schema.TaggedError<ConnectionLost>("@effect-zim/emulator/ConnectionLost")(
  "ConnectionLost",
  {}
) {
  override get message(): string {
    return "the emulator closed the connection, as a fault asked for"
  }
}

/**
 * An answer to be sent. A body that is a stream is sent piece by piece: it may be slow, never end, or break off with
 * {@link ConnectionLost}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply {
  readonly status: number
  /** Names in small letters. `content-length` only where it differs from what the body really is. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Stream.Stream<Uint8Array, ConnectionLost>
}

/**
 * The longest request body that is read, in bytes: 1 MiB. A longer one counts as unreadable.
 *
 * @category constants
 * @since 0.1.0
 */
export const maximumBodyBytes = 1_048_576
