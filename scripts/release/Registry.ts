/**
 * A registry on loopback that knows no package and takes what is published, for a rehearsal.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer, Schema } from "effect"
import { HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"

const Dependencies = Schema.optionalKey(Schema.Record(Schema.String, Schema.String))

/** What a publisher sends: the manifest of one version as users get it, and the tarball in base64. */
const Publication = Schema.Struct({
  versions: Schema.Record(
    Schema.String,
    Schema.Struct({
      name: Schema.String,
      version: Schema.String,
      license: Schema.optionalKey(Schema.String),
      repository: Schema.optionalKey(Schema.Struct({ url: Schema.String })),
      dependencies: Dependencies,
      peerDependencies: Dependencies
    })
  ),
  _attachments: Schema.Record(Schema.String, Schema.Struct({ data: Schema.String }))
})

export type Publication = typeof Publication.Type

export class Registry extends Context.Service<
  Registry,
  {
    readonly url: string
    /** What it was sent so far. */
    readonly published: ReadonlyArray<Publication>
  }
>()("scripts/release/Registry") {
  static readonly layer = Layer.effect(
    this,
    Effect.gen(function* () {
      const published: Array<Publication> = []
      const answer = Effect.gen(function* () {
        const { method } = yield* HttpServerRequest.HttpServerRequest
        if (method !== "PUT") return HttpServerResponse.jsonUnsafe({ error: "not found" }, { status: 404 })
        published.push(yield* HttpServerRequest.schemaBodyJson(Publication))
        return HttpServerResponse.jsonUnsafe({ ok: true }, { status: 201 })
      })
      yield* HttpServer.serveEffect(answer)
      const url = yield* HttpServer.addressFormattedWith((address) => Effect.succeed(address))
      return { url, published }
    })
  ).pipe(Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })), Layer.orDie)
}
