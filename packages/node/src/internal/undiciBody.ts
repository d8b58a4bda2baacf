/** A request's body as undici takes it. */
import * as Effect from "effect/Effect"
import type * as HttpBody from "effect/http/HttpBody"
import * as Stream from "effect/Stream"
import { Readable } from "node:stream"
import type { Dispatcher } from "undici"

export type UndiciBody = NonNullable<Dispatcher.DispatchOptions["body"]> | null

const isRaw = (body: unknown): body is string | Uint8Array | Readable =>
  typeof body === "string" || body instanceof Uint8Array || body instanceof Readable

/** What is no body that can be sent is `undefined`. */
export const make = (body: HttpBody.HttpBody): Effect.Effect<UndiciBody | undefined> => {
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(null)
    case "Uint8Array":
      return Effect.succeed(body.body)
    case "Raw":
      return Effect.succeed(isRaw(body.body) ? body.body : undefined)
    case "Stream":
      return Effect.sync(() => Readable.from(Stream.toAsyncIterable(body.stream), { objectMode: false }))
    case "FormData":
      return Effect.promise(async () => {
        const { FormData } = await import("undici")
        // undici takes none but its own.
        const form = new FormData()
        for (const [name, value] of body.formData) form.append(name, value)
        return form
      })
  }
}
