/**
 * A client whose connections go through the proxy that `HTTPS_PROXY` names: `http://user:password@proxy.example:3128`.
 * Without one they are direct.
 */
import { ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { Config, Effect, Layer, Option, Redacted } from "effect"
import { ProxyAgent } from "undici"

const http = Layer.unwrap(
  Effect.gen(function* () {
    // There may be a password in it.
    const proxy = yield* Config.option(Config.Redacted("HTTPS_PROXY"))
    if (Option.isNone(proxy)) return UndiciHttpClient.layer
    return UndiciHttpClient.layerDispatcher(
      () =>
        new ProxyAgent({
          ...UndiciHttpClient.defaults,
          uri: Redacted.value(proxy.value),
          // Also for an emulator, by plain http: the proxy sees to which host, and no signed URL.
          proxyTunnel: true
        })
    )
  })
)

export const client = ZimClient.layerConfig().pipe(Layer.provide(http))
