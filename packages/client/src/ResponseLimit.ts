/**
 * How large an answer may be.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { memoize } from "effect/Function"

/**
 * The most bytes of an answer that are read, after decompression. A full page takes some 50 kB. Default: 8 MiB.
 * A call under a limit that is no number, or below 0, dies with a `RangeError`.
 *
 * @example
 * ```ts
 * import { ResponseLimit, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig().pipe(Layer.provide(Layer.succeed(ResponseLimit, 1024 * 1024)))
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const ResponseLimit = Context.Reference<number>("@effect-zim/client/ResponseLimit", {
  defaultValue: () => 8 * 1024 * 1024
})

/**
 * The limit in force for a call: the one around it wins over the one that the client's layer was given.
 *
 * @internal
 */
export const responseLimitIn: Effect.Effect<(around: Context.Context<never>) => number> = /* @__PURE__ */ Effect.map(
  /* @__PURE__ */ Effect.context<never>(),
  (layer) =>
    memoize((around) => {
      const limit = Context.getOrUndefined(around, ResponseLimit) ?? Context.get(layer, ResponseLimit)
      if (limit >= 0) return limit
      throw new RangeError(`ResponseLimit is a number of bytes, 0 or more, not ${limit}`)
    })
)
