/**
 * The application id of the vendor's console.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const expected = "an AppId is a whole number from 0 to 4294967295"

/**
 * An application id: an unsigned 32-bit integer, sent as `AppId` with every request and signed with it.
 *
 * Source: contract, section 2.
 *
 * @example
 * ```ts
 * import { AppId } from "@effect-zim/protocol"
 *
 * const appId: AppId.AppId = AppId.make(12345)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const AppId = Schema.Number.check(
  Schema.isInt({ message: expected }),
  Schema.makeFilter((id) => (id >= 0 && id <= 0xff_ff_ff_ff) || `${expected}, not ${id}`)
).pipe(Schema.brand("@effect-zim/protocol/AppId"))

/**
 * A number that has been checked.
 *
 * @category schemas
 * @since 0.1.0
 */
export type AppId = typeof AppId.Type

/**
 * An application id as text, as a setting has it.
 *
 * @example
 * ```ts
 * import { AppId } from "@effect-zim/protocol"
 * import { Config } from "effect"
 *
 * const appId = Config.schema(AppId.FromString, "ZIM_APP_ID")
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromString = /* @__PURE__ */ (() => Schema.NumberFromString.pipe(Schema.decodeTo(AppId)))()

/**
 * Makes an `AppId`. Throws a `SchemaError` when the number is not an unsigned 32-bit integer: decode with the
 * {@link AppId} schema instead where the number comes from outside.
 *
 * @example
 * ```ts
 * import { AppId } from "@effect-zim/protocol"
 *
 * const appId = AppId.make(12345)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (id: number) => AppId = Schema.decodeSync(AppId)
