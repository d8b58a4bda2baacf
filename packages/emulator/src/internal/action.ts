import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ConnectionLost } from "../Exchange.ts"
import type { Reply } from "../Exchange.ts"
import type { Latency } from "./latency.ts"

/** What a fault does, by the moment it does it: to the request, in place of the answer, to the payload, to the reply. */
export type Action =
  | { readonly _tag: "Latency"; readonly on: "request" | "answer"; readonly draw: Latency }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "ReturnCode"; readonly code: number; readonly message: string | undefined }
  | { readonly _tag: "NextCursor"; readonly next: bigint | number | string }
  | { readonly _tag: "LargeCursors" }
  | { readonly _tag: "CyclingCursor"; readonly length: number }
  | { readonly _tag: "Shift"; readonly by: number }
  | { readonly _tag: "Rewrite"; readonly change: (reply: Reply) => Reply }
  | { readonly _tag: "AnswerLost" }

const encoder = new TextEncoder()

export const dateOf = (reply: Reply): Readonly<Record<string, string>> =>
  reply.headers["date"] === undefined ? {} : { date: reply.headers["date"] }

export const replaceBody =
  (status: number, contentType: string, body: string) =>
  (reply: Reply): Reply => ({ status, headers: { ...dateOf(reply), "content-type": contentType }, body })

/** A text body as bytes with its length promised, to be sent in another way. Bodies that stream already stay. */
const respell =
  (f: (bytes: Uint8Array<ArrayBuffer>) => Stream.Stream<Uint8Array, ConnectionLost>) =>
  (reply: Reply): Reply => {
    if (typeof reply.body !== "string") return reply
    const bytes = encoder.encode(reply.body)
    return { ...reply, headers: { ...reply.headers, "content-length": String(bytes.length) }, body: f(bytes) }
  }

const firstHalf = (bytes: Uint8Array<ArrayBuffer>): Stream.Stream<Uint8Array> =>
  Stream.succeed(bytes.subarray(0, Math.floor(bytes.length / 2)))

export const truncate = respell((bytes) => Stream.concat(firstHalf(bytes), Stream.fail(new ConnectionLost())))

export const stall = respell((bytes) => Stream.concat(firstHalf(bytes), Stream.never))

export const dribble = (size: number, pause: Duration.Input): ((reply: Reply) => Reply) =>
  respell((bytes) =>
    Stream.range(0, Math.ceil(bytes.length / size) - 1).pipe(
      Stream.mapEffect((i) => Effect.as(Effect.sleep(pause), bytes.subarray(i * size, (i + 1) * size)))
    )
  )

const pieceBytes = 65_536

const padded = (bytes: number): Stream.Stream<Uint8Array<ArrayBuffer>> => {
  const open = `{"Code":0,"Message":"success","RequestId":"1","TotalCount":0,"Next":0,"List":[],"Padding":"`
  const piece = new Uint8Array(pieceBytes).fill(0x20)
  const padding = Stream.range(0, Math.ceil(bytes / pieceBytes) - 1).pipe(
    Stream.map((i) => piece.subarray(0, Math.min(pieceBytes, bytes - i * pieceBytes)))
  )
  return Stream.succeed(encoder.encode(open)).pipe(
    Stream.concat(padding),
    Stream.concat(Stream.succeed(encoder.encode(`"}`)))
  )
}

/** Another body: what the headers said of the one before is no longer true. */
const withBody = (reply: Reply, body: Reply["body"], said: Reply["headers"] = {}): Reply => {
  const { "content-encoding": _encoding, "content-length": _length, ...headers } = reply.headers
  return { ...reply, headers: { ...headers, ...said }, body }
}

export const pad =
  (bytes: number) =>
  (reply: Reply): Reply =>
    withBody(reply, padded(bytes))

// The standard's own: it runs wherever JavaScript does, and pulls no more than is read.
const compress = (bytes: Stream.Stream<Uint8Array<ArrayBuffer>>): Stream.Stream<Uint8Array, ConnectionLost> =>
  Stream.fromReadableStream({
    evaluate: () => Stream.toReadableStream(bytes).pipeThrough(new CompressionStream("gzip")),
    onError: () => new ConnectionLost()
  })

export const bomb =
  (bytes: number) =>
  (reply: Reply): Reply =>
    withBody(reply, compress(padded(bytes)), { "content-encoding": "gzip" })
