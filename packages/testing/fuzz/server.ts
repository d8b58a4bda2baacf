/**
 * Anything at all for a request to the emulator's HTTP server: every request that is HTTP gets a well-formed answer of the
 * API, everything else a 400 and the end of the connection; the server never crashes or hangs, and its memory stays flat.
 */
import { Emulator, Fault, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Envelope, ReturnCode } from "@effect-zim/protocol"
import { ServerSecret, Signature, SignatureNonce } from "@effect-zim/signing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Http from "node:http"
import * as Net from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Dice from "./dice.ts"

const app = { appId: 12345, serverSecret: ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38") }
const world = World.generate({ seed: "fuzz", users: 30, ...app })

const documented = new Set([0, ...ReturnCode.table.map(({ code }) => code)])
const names = ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature"] as const
const methods = ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] as const
const paths = ["//", "/v1", "/%00", "/..", "/?"] as const
const contentTypes = [
  "application/json",
  "application/json; charset=utf-8",
  "text/plain",
  "",
  "multipart/form-data"
] as const
const fields = ["FromUserId", "Limit", "Next", "Other", "__proto__"] as const

const nonces = SignatureNonce.seeded("fuzz")

/** A correct query more often than not, with some of it spoilt. */
const query = (dice: Dice.Dice): string => {
  const signed = Signature.signWith({ ...app, nonce: nonces(), timestamp: Math.floor(Date.now() / 1000) })
  const right = Signature.toQuery(signed, "QueryConversationList")
  if (dice.oneIn(2)) return right
  const parameters = new URLSearchParams(right)
  for (let i = dice.below(3); i >= 0; i--) {
    const name = dice.pick(names)
    if (dice.oneIn(3)) parameters.delete(name)
    else if (dice.oneIn(2)) parameters.append(name, dice.text(20))
    else parameters.set(name, dice.pick(["", "0", "-1", "4294967296", "1e9", dice.text(300)]))
  }
  return dice.oneIn(20) ? encodeURI(dice.text(200)) : parameters.toString()
}

const value = (dice: Dice.Dice): unknown =>
  dice.pick<() => unknown>([
    () => `user-${dice.below(40)}`,
    () => dice.text(40),
    () => dice.below(1200) - 100,
    () => 2 ** dice.below(70),
    () => null,
    () => dice.oneIn(2),
    () => [dice.text(3)],
    () => ({ [dice.text(3)]: 1 }),
    () => 0.5
  ])()

const body = (dice: Dice.Dice): string | Uint8Array => {
  if (dice.oneIn(10)) return dice.bytes(dice.below(200))
  if (dice.oneIn(10)) return dice.text(400)
  if (dice.oneIn(200)) return "[".repeat(dice.below(100_000))
  const object: Record<string, unknown> = {
    FromUserId: `user-${1 + dice.below(32)}`,
    Limit: 1 + dice.below(20),
    Next: 0
  }
  for (let i = dice.below(3); i > 0; i--) object[dice.pick(fields)] = value(dice)
  const text = JSON.stringify(object)
  return dice.oneIn(12) ? text.slice(0, dice.below(text.length)) : text
}

interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  readonly text: string
}

/** How long an answer may take, in milliseconds. */
const patience = 20_000

const send = (url: URL, agent: Http.Agent, dice: Dice.Dice): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const method = dice.oneIn(8) ? dice.pick(methods) : "POST"
    const path = `${dice.oneIn(12) ? dice.pick(paths) : "/"}?${query(dice)}`
    const content = method === "GET" ? "" : body(dice)
    const headers = {
      "content-type": dice.pick(contentTypes),
      "content-length": String(Buffer.byteLength(content)),
      ...(dice.oneIn(10) ? { [`x-${dice.below(100)}`]: dice.text(50).replaceAll(/[^ -~]/g, "") } : {})
    }
    const request = Http.request(
      { host: url.hostname, port: url.port, method, path, agent, headers, timeout: patience },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("error", reject)
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            contentType: response.headers["content-type"],
            text: Buffer.concat(chunks).toString()
          })
        )
      }
    )
    request.on("timeout", () => request.destroy(new Error(`no answer to ${method} ${path} within ${patience} ms`)))
    request.on("error", reject)
    request.end(content)
  })

/** Text that is hardly HTTP, on a connection of its own; what comes back until the server or we hang up. */
const rubbish = (url: URL, dice: Dice.Dice): Promise<string> =>
  new Promise((resolve, reject) => {
    let received = ""
    const socket = Net.connect(Number(url.port), url.hostname, () => {
      const line = dice.pick<() => string>([
        () => `POST / HTTP/${dice.below(4)}.${dice.below(9)}\r\nHost: x\r\n\r\n`,
        () => `POST /?${query(dice)} HTTP/1.1\r\nHost: x\r\nContent-Length: ${dice.text(5)}\r\n\r\n`,
        () => `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${dice.text(5)}\r\nx\r\n0\r\n\r\n`,
        () => `${dice.text(30)}\r\n\r\n`,
        () => `GET ${dice.text(60)} HTTP/1.1\r\n${dice.text(60)}\r\n\r\n`,
        () => "\0".repeat(1 + dice.below(100)),
        () => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{`
      ])()
      socket.write(line)
      // No more will come: whoever waits for the rest is told.
      socket.end()
    })
    socket.setTimeout(patience, () => {
      reject(new Error("the server neither answers nor hangs up"))
      socket.destroy()
    })
    socket.on("data", (chunk) => (received += chunk.toString("latin1")))
    socket.on("error", () => resolve(received))
    socket.on("close", () => resolve(received))
  })

const wrong = (answer: Answer): string | undefined => {
  const parsed = Envelope.parse(answer.text)
  if (Result.isFailure(parsed)) return "its body is no answer"
  const { code, message, requestId } = parsed.success
  if (!documented.has(code)) return `its code ${code} is not documented`
  if (message === "" || requestId === undefined || !/^[0-9]+$/.test(requestId)) return "it has no message or request id"
  if (answer.contentType?.startsWith("application/json") !== true) return `its content type is ${answer.contentType}`
  if (answer.status !== 200 && answer.status !== 404 && answer.status !== 405) return `its status is ${answer.status}`
  return undefined
}

setFlagsFromString("--expose-gc")
const gc: unknown = runInNewContext("gc")

/** Megabytes in use when all that can go is gone. */
export const memory = (): number => {
  if (typeof gc === "function") Reflect.apply(gc, undefined, [])
  return process.memoryUsage().heapUsed / 1_048_576
}

/**
 * So many requests, 16 at a time, with faults for one in ten of those that are right. Memory is measured after each tenth,
 * with all forgotten that the emulator remembers on purpose (nonces above all): what grows then is a leak.
 */
export const run = (options: { readonly seed: number; readonly count: number }) =>
  Effect.gen(function* () {
    const { url } = yield* EmulatorServer.EmulatorServer
    const emulator = yield* Emulator.Emulator
    const base = new URL(url)
    const dice = Dice.make(options.seed)
    const agent = new Http.Agent({ keepAlive: true, maxSockets: 16 })
    const codes = new Map<number, number>()
    const sizes: Array<number> = []

    const one = async (): Promise<void> => {
      if (dice.oneIn(20)) {
        const received = await rubbish(base, dice)
        if (received !== "" && !/^HTTP\/1\.1 (?:200|400|404|405|408|413|414|431|505)/.test(received)) {
          throw new Error(`seed ${options.seed}: rubbish was answered with ${received.slice(0, 100)}`)
        }
        return
      }
      const answer = await send(base, agent, dice)
      const problem = wrong(answer)
      if (problem !== undefined) {
        throw new Error(`seed ${options.seed}: ${problem}: ${answer.status} ${answer.text.slice(0, 300)}`)
      }
      const parsed = Envelope.parse(answer.text)
      if (Result.isSuccess(parsed)) codes.set(parsed.success.code, (codes.get(parsed.success.code) ?? 0) + 1)
    }

    const batch = Math.ceil(options.count / 10)
    for (let done = 0; done < options.count; done += batch) {
      yield* Effect.forEach(Array.from({ length: Math.min(batch, options.count - done) }), () => Effect.promise(one), {
        concurrency: 16,
        discard: true
      })
      yield* emulator.reset
      sizes.push(memory())
    }
    agent.destroy()
    return { codes, sizes }
  }).pipe(
    Effect.provide(
      EmulatorServer.layer().pipe(
        Layer.provideMerge(
          Emulator.layer({
            world,
            seed: options.seed,
            quota: ServiceQuota.sliding({ limit: 200 }),
            faults: [Fault.returnCode(660800053).pipe(Fault.when(Fault.probability(0.1)))]
          })
        )
      )
    )
  )

/** So many megabytes are no leak: connections, caches of the engine. */
export const allowedGrowth = 5

/** By how much memory grew from the middle to the end. */
export const growth = (sizes: ReadonlyArray<number>): number => {
  const later = sizes.slice(Math.floor(sizes.length / 2))
  return (later.at(-1) ?? 0) - (later[0] ?? 0)
}
