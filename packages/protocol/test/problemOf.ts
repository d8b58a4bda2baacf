import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** What is wrong with an input for a schema; `undefined` where nothing is. */
export const problemOf = <T, E>(schema: Schema.Codec<T, E>, input: unknown): string | undefined => {
  const result = Schema.decodeUnknownResult(schema)(input)
  return Result.isFailure(result) ? result.failure.message : undefined
}
