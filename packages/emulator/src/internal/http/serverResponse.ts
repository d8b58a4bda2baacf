import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Reply } from "../../HttpExchange.ts"

/** A reply in Effect's own terms. */
export const toServerResponse = ({ body, headers, status }: Reply): HttpServerResponse.HttpServerResponse =>
  typeof body === "string"
    ? body === ""
      ? HttpServerResponse.empty({ status, headers: { ...headers, "content-length": "0" } })
      : HttpServerResponse.text(body, { status, headers })
    : HttpServerResponse.stream(body, { status, headers })
