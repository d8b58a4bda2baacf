/**
 * How large an answer may be.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * The most bytes of an answer that are read, after decompression. A full page takes some 50 kB. Default: 8 MiB.
 * A call under a limit that is no number, or below 0, dies with a `RangeError`.
 *
 * @example
 * ```ts
 * import { ResponseLimit, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig.pipe(Layer.provide(Layer.succeed(ResponseLimit, 1024 * 1024)))
 * ```
 *
 * @since 0.1.0
 */
export const ResponseLimit = Context.Reference<number>("@effect-zim/client/ResponseLimit", {
  defaultValue: () => 8 * 1024 * 1024
})
