/**
 * The secret that signs requests, from the vendor's console. It is kept redacted from the moment it is read.
 */
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/**
 * A server secret. Printing, logging or serialising it shows `<redacted:ServerSecret>`.
 *
 * @example
 * ```ts
 * import { ServerSecret } from "@effect-zim/signing"
 *
 * const secret: ServerSecret.ServerSecret = ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38")
 * console.log(String(secret)) // <redacted:ServerSecret>
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export type ServerSecret = Redacted.Redacted<string>

const empty = "ServerSecret is empty: copy it from the vendor's console"
const untrimmed = "ServerSecret begins or ends with whitespace, probably from copying: remove it"

/**
 * What the schema would say of a secret, for a client that decodes none.
 *
 * @internal
 */
export const problem = (secret: unknown): string | undefined => {
  if (typeof secret !== "string" || secret === "") return empty
  return secret === secret.trim() ? undefined : untrimmed
}

/**
 * Decodes a string to a secret, for configuration and for files. Rejects an empty string and surrounding whitespace,
 * and never repeats the value in its message.
 *
 * @example
 * ```ts
 * import { ServerSecret } from "@effect-zim/signing"
 * import * as Config from "effect/Config"
 *
 * const secret = Config.schema(ServerSecret.ServerSecret, "ZIM_SERVER_SECRET")
 * console.log(Config.isConfig(secret)) // true
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const ServerSecret: Schema.RedactedFromValue<Schema.String> = /* @__PURE__ */ (() =>
  Schema.RedactedFromValue(
    Schema.String.check(Schema.isNonEmpty({ message: empty }), Schema.isTrimmed({ message: untrimmed })),
    { label: "ServerSecret" }
  ))()

/**
 * Wraps a secret that is already in memory. Throws if it is empty or has surrounding whitespace (decode with the
 * {@link ServerSecret} schema where a typed error is wanted); the error never repeats the value.
 *
 * @example
 * ```ts
 * import { ServerSecret } from "@effect-zim/signing"
 *
 * const secret = ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38")
 * console.log(JSON.stringify({ secret })) // {"secret":"<redacted:ServerSecret>"}
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (secret: string) => ServerSecret = /* @__PURE__ */ (() => Schema.decodeSync(ServerSecret))()
