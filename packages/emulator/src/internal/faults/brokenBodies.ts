/** Bodies gone wrong: replaced, cut off, slow, too long. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Headers from "effect/http/Headers"
import * as Stream from "effect/Stream"
import { ConnectionLost, type Reply } from "../../HttpExchange.ts"
import { messageOf } from "../requests/writeReply.ts"
import { type Action, matchOrElse } from "./faultSchema.ts"

const encoder = new TextEncoder()

type Rewriting = (reply: Reply) => Reply

const replaced =
  (status: number, said: Reply["headers"], body: string): Rewriting =>
  ({ headers: { date } }) => ({ status, headers: { ...(date !== undefined && { date }), ...said }, body })

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
const respelled =
  (spell: (bytes: Uint8Array<ArrayBuffer>) => Stream.Stream<Uint8Array, ConnectionLost>): Rewriting =>
  (reply) => {
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
const withBody =
  (body: Reply["body"], said: Reply["headers"] = {}): Rewriting =>
  (reply) => {
    const { "content-encoding": _encoding, "content-length": _length, ...headers } = reply.headers
    return { ...reply, headers: { ...headers, ...said }, body }
  }

// The standard's own: it runs wherever JavaScript does, and pulls no more than is read.
const compress = (bytes: Stream.Stream<Uint8Array<ArrayBuffer>>): Stream.Stream<Uint8Array, ConnectionLost> =>
  Stream.fromReadableStream({
    evaluate: () => Stream.toReadableStream(bytes).pipeThrough(new CompressionStream("gzip")),
    onError: () => new ConnectionLost()
  })

/** The reply as a fault makes it; the same where it does nothing to replies. */
export const rewriting = (action: Action): Rewriting =>
  action.type === "rewrite"
    ? action.change
    : matchOrElse(
        action,
        {
          rawBody: ({ contentType, text }) => replaced(200, { "content-type": contentType }, text),
          notJson: () => replaced(200, json, "upstream says: try again"),
          emptyBody: () => replaced(200, json, ""),
          httpStatus: ({ html: page, status }) => replaced(status, html, page ?? errorPage(status)),
          retryAfter:
            ({ after, as, code, status }) =>
            (reply: Reply) => {
              const said = { "retry-after": comeBack(reply, after, as) }
              if (code === undefined) return replaced(status, { ...html, ...said }, errorPage(status))(reply)
              const body = JSON.stringify({ Code: code, Message: messageOf(code), RequestId: "gateway" })
              return replaced(status, { ...json, ...said }, body)(reply)
            },
          redirect: ({ location }) => replaced(302, { location }, ""),
          wrongContentType: () => (reply: Reply) => ({
            ...reply,
            headers: { ...reply.headers, "content-type": "text/html; charset=utf-8" }
          }),
          truncatedBody: () => respelled((bytes) => Stream.concat(firstHalf(bytes), Stream.fail(new ConnectionLost()))),
          hangingBody: () => respelled((bytes) => Stream.concat(firstHalf(bytes), Stream.never)),
          slowBody: ({ bytes: size, every }) => respelled((bytes) => dribbled(bytes, size, every)),
          oversizedBody: ({ bytes }) => withBody(padded(bytes)),
          gzipBomb: ({ bytes }) => withBody(compress(padded(bytes)), { "content-encoding": "gzip" })
        },
        () => identity
      )
