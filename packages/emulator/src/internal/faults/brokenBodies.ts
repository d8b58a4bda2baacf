/** Bodies gone wrong: replaced, cut off, slow, too long. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Stream from "effect/Stream"
import { ConnectionLost, type Reply } from "../../HttpExchange.ts"
import { messageOf } from "../requests/writeReply.ts"
import type { Action } from "./faultSchema.ts"

const encoder = new TextEncoder()

const dateOf = (reply: Reply): Readonly<Record<string, string>> =>
  reply.headers["date"] === undefined ? {} : { date: reply.headers["date"] }

const replaced = (reply: Reply, status: number, headers: Reply["headers"], body: string): Reply => ({
  status,
  headers: { ...dateOf(reply), ...headers },
  body
})

const json = { "content-type": "application/json" }
const html = { "content-type": "text/html" }

const errorPage = (status: number): string =>
  `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>gateway</body></html>`

/** When to come back, as a header says it. Without a date of the answer there is none to count from. */
const comeBack = (reply: Reply, after: Duration.Duration, as: "seconds" | "date" = "seconds"): string => {
  const seconds = Math.ceil(Duration.toSeconds(after))
  const from = Date.parse(reply.headers["date"] ?? "")
  return as === "seconds" || Number.isNaN(from)
    ? String(seconds)
    : Headers.formatHttpDate(DateTime.makeUnsafe(from + seconds * 1000))
}

/** A text body as bytes with its length promised, to be sent in another way. Bodies that stream already stay. */
const respelled = (
  reply: Reply,
  spell: (bytes: Uint8Array<ArrayBuffer>) => Stream.Stream<Uint8Array, ConnectionLost>
): Reply => {
  if (typeof reply.body !== "string") return reply
  const bytes = encoder.encode(reply.body)
  return { ...reply, headers: { ...reply.headers, "content-length": String(bytes.length) }, body: spell(bytes) }
}

const firstHalf = (bytes: Uint8Array<ArrayBuffer>): Stream.Stream<Uint8Array> =>
  Stream.succeed(bytes.subarray(0, Math.floor(bytes.length / 2)))

const dribbled = (bytes: Uint8Array, size: number, pause: Duration.Duration): Stream.Stream<Uint8Array> =>
  Stream.range(0, Math.ceil(bytes.length / size) - 1).pipe(
    Stream.mapEffect((i) => Effect.as(Effect.sleep(pause), bytes.subarray(i * size, (i + 1) * size)))
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

// The standard's own: it runs wherever JavaScript does, and pulls no more than is read.
const compress = (bytes: Stream.Stream<Uint8Array<ArrayBuffer>>): Stream.Stream<Uint8Array, ConnectionLost> =>
  Stream.fromReadableStream({
    evaluate: () => Stream.toReadableStream(bytes).pipeThrough(new CompressionStream("gzip")),
    onError: () => new ConnectionLost()
  })

/** The reply as this fault makes it; the same where it does nothing to replies. */
export const rewrite = (reply: Reply, action: Action): Reply => {
  switch (action.type) {
    case "rewrite":
      return action.change(reply)
    case "rawBody":
      return replaced(reply, 200, { "content-type": action.contentType }, action.text)
    case "notJson":
      return replaced(reply, 200, json, "upstream says: try again")
    case "emptyBody":
      return replaced(reply, 200, json, "")
    case "httpStatus":
      return replaced(reply, action.status, html, action.html ?? errorPage(action.status))
    case "retryAfter": {
      const after = { "retry-after": comeBack(reply, action.after, action.as) }
      if (action.code === undefined)
        return replaced(reply, action.status, { ...html, ...after }, errorPage(action.status))
      const body = JSON.stringify({ Code: action.code, Message: messageOf(action.code), RequestId: "gateway" })
      return replaced(reply, action.status, { ...json, ...after }, body)
    }
    case "redirect":
      return replaced(reply, 302, { location: action.location }, "")
    case "wrongContentType":
      return { ...reply, headers: { ...reply.headers, "content-type": "text/html; charset=utf-8" } }
    case "truncatedBody":
      return respelled(reply, (bytes) => Stream.concat(firstHalf(bytes), Stream.fail(new ConnectionLost())))
    case "hangingBody":
      return respelled(reply, (bytes) => Stream.concat(firstHalf(bytes), Stream.never))
    case "slowBody":
      return respelled(reply, (bytes) => dribbled(bytes, action.bytes, action.every))
    case "oversizedBody":
      return withBody(reply, padded(action.bytes))
    case "gzipBomb":
      return withBody(reply, compress(padded(action.bytes)), { "content-encoding": "gzip" })
    default:
      return reply
  }
}
