/** Reads the body of an answer, never more of it than the limit. */
import * as Effect from "effect/Effect"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"

/** Why a body was not read. */
export type Problem = "TooLarge" | "NotUtf8"

const utf8 = new TextDecoder("utf-8", { fatal: true })

const decode = (bytes: ArrayBuffer | Uint8Array): Effect.Effect<string, Problem> => {
  try {
    return Effect.succeed(utf8.decode(bytes))
  } catch {
    return Effect.fail("NotUtf8")
  }
}

const readWhole = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<string, Problem | HttpClientError.HttpClientError> =>
  Effect.flatMap(response.arrayBuffer, (bytes) => (bytes.byteLength > limit ? Effect.fail("TooLarge") : decode(bytes)))

const readByChunk = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<string, Problem | HttpClientError.HttpClientError> =>
  Effect.suspend(() => {
    // Copied as they come: a chunk of one byte takes a hundred and more.
    let bytes = new Uint8Array(0)
    let size = 0
    return Stream.runForEach(response.stream, (chunk) => {
      const end = size + chunk.byteLength
      if (end > limit) return Effect.fail("TooLarge" as const)
      if (end > bytes.byteLength) bytes = enlarged(bytes, Math.max(end, 2 * size))
      bytes.set(chunk, size)
      size = end
      return Effect.void
    }).pipe(
      Effect.catchIf(isEmptyBody, () => Effect.void),
      Effect.flatMap(() => decode(bytes.subarray(0, size)))
    )
  })

const isEmptyBody = (error: Problem | HttpClientError.HttpClientError): error is HttpClientError.HttpClientError =>
  typeof error !== "string" && error.reason._tag === "EmptyBodyError"

const enlarged = (bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> => {
  const larger = new Uint8Array(size)
  larger.set(bytes)
  return larger
}

/**
 * The text of an answer. Where its length is announced and small enough it is read in one go; a length that is not
 * announced, or is that of compressed bytes, says nothing, so then it is counted chunk by chunk.
 */
export const read = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<string, Problem | HttpClientError.HttpClientError> => {
  const { "content-length": announced, "content-encoding": coding } = response.headers
  return announced !== undefined && coding === undefined && Number(announced) <= limit
    ? readWhole(response, limit)
    : readByChunk(response, limit)
}
