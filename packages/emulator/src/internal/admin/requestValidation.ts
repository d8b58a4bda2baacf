import * as Effect from "effect/Effect"
import * as HttpApiError from "effect/http-api/HttpApiError"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpMethod from "effect/http/HttpMethod"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as AdminApi from "../../AdminApi.ts"

const refuse = (problem: string): Effect.Effect<never, AdminApi.AdminRequestInvalid> =>
  Effect.fail(new AdminApi.AdminRequestInvalid({ problem }))

const schemaOf = (endpoint: HttpApiEndpoint.Top) =>
  Array.from(endpoint.payload.values(), ({ schemas }) => schemas[0])[0]

const exact = { onExcessProperty: "error" } as const

/** A body's keys that are not known: an API that ignores them does not do what it is told. */
const checkKeys = Effect.fnUntraced(function* (endpoint: HttpApiEndpoint.Top) {
  const schema = schemaOf(endpoint)
  if (schema === undefined || !HttpMethod.hasBody(endpoint.method)) return
  const request = yield* HttpServerRequest.HttpServerRequest
  const json = yield* Effect.catch(request.json, () => refuse("Body: it is not JSON"))
  const decode = Schema.decodeUnknownEffect(Schema.make<Schema.Codec<unknown>>(schema.ast), exact)
  yield* Effect.catch(decode(json), (error) => refuse(`Body: ${error.message}`))
})

export const layer = Layer.succeed(AdminApi.Validation, (app, { endpoint }) =>
  Effect.andThen(checkKeys(endpoint), app).pipe(
    Effect.catch((error) =>
      HttpApiError.HttpApiSchemaError.is(error) ? refuse(`${error.kind}: ${error.cause.message}`) : Effect.fail(error)
    )
  )
)
