import * as Effect from "effect/Effect"
import type { Readable } from "node:stream"
import { maximumBodyBytes } from "../../HttpExchange.ts"

/**
 * The text of a request's body; `undefined` where it breaks off or is too long, as soon as it is. Read by hand: as a
 * stream of Effect's it costs as much as answering the call.
 */
export const read = (request: Readable): Effect.Effect<string | undefined> =>
  Effect.callback((resume) => {
    const pieces: Array<Buffer> = []
    let length = 0
    const done = (text: string | undefined): void => {
      request.off("data", onData).off("end", onEnd).off("error", onBreak).off("close", onBreak)
      resume(Effect.succeed(text))
    }
    const onData = (piece: Buffer): void => {
      length += piece.length
      if (length > maximumBodyBytes) return done(undefined)
      pieces.push(piece)
    }
    const onEnd = (): void => done((pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))?.toString())
    const onBreak = (): void => done(undefined)
    request.on("data", onData).on("end", onEnd).on("error", onBreak).on("close", onBreak)
  })
