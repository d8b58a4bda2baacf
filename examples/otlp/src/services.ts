/**
 * The client, and where spans, metrics and logs go: to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names, by default
 * to `http://localhost:4318`.
 */
import { ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { Config, Effect, Layer } from "effect"
import { Otlp } from "effect/observability"

const telemetry = Layer.unwrap(
  Effect.gen(function* () {
    const endpoint = Config.String("OTEL_EXPORTER_OTLP_ENDPOINT")
    const baseUrl = yield* endpoint.pipe(Config.withDefault("http://localhost:4318"))
    return Otlp.layerJson({ baseUrl, resource: { serviceName: "report", serviceVersion: "1.0.0" } })
  })
)

/** When they are closed, the collector gets what it has not got yet. */
export const services = Layer.merge(ZimClient.layerConfig(), telemetry).pipe(Layer.provide(UndiciHttpClient.layer))
