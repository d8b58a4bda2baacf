import { Emulator, ServiceQuota } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Envelope } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { appId, groups, payloadOf, secret, worldOf } from "./support.ts"

const script = new URL("curl.sh", import.meta.url).pathname

/** The lines that the script prints: name, answer, HTTP status. */
const run = Effect.gen(function* () {
  const { url } = yield* EmulatorServer.EmulatorServer
  const env = { PATH: process.env["PATH"], URL: url, APP_ID: String(appId), SECRET: secret }
  const { stderr, stdout } = yield* Effect.promise(() => promisify(execFile)("bash", [script], { env }))
  assert.strictEqual(stderr, "")
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, name = "", answer = "", status = ""] = /^(\S+) (.*) ([0-9]{3})$/.exec(line) ?? assert.fail(line)
      return { name, status: Number(status), envelope: Result.getOrThrow(Envelope.parse(answer)) }
    })
})

const server = EmulatorServer.layer().pipe(
  Layer.provideMerge(Emulator.layer({ world: worldOf({ u1: groups(250) }), quota: ServiceQuota.unlimited }))
)

describe("a client of curl and md5sum alone", () => {
  it.live(
    "is served the whole list, and the documented code for everything it does wrong",
    () =>
      Effect.gen(function* () {
        const lines = yield* run
        const pages = lines.filter(({ name }) => name === "page").map(({ envelope }) => payloadOf(envelope))
        assert.deepStrictEqual(
          pages.map(({ List }) => List?.length),
          [100, 100, 50]
        )
        assert.deepStrictEqual<unknown>(
          pages.flatMap(({ List }) => List),
          groups(250)
        )
        const wrong = lines.filter(({ name }) => name !== "page")
        assert.deepStrictEqual(
          wrong.map(({ envelope, name, status }) => [name, envelope.code, status]),
          [
            ["no-action", 100000006, 200],
            ["wrong-action", 100000007, 200],
            ["no-app", 100000001, 200],
            ["malformed-app", 100000001, 200],
            ["unknown-app", 100000001, 200],
            ["no-timestamp", 100000002, 200],
            ["malformed-timestamp", 100000003, 200],
            ["no-nonce", 100000008, 200],
            ["no-signature", 100000009, 200],
            ["no-version", 100000013, 200],
            ["version-1", 100000014, 200],
            ["old", 100000004, 200],
            ["early", 100000004, 200],
            ["milliseconds", 100000004, 200],
            ["wrong-secret", 100000005, 200],
            ["not-json", 100000012, 200],
            ["form", 100000012, 200],
            ["no-user", 660000002, 200],
            ["illegal-user", 660000002, 200],
            ["long-user", 660000012, 200],
            ["unregistered", 660500002, 200],
            ["limit-text", 660000002, 200],
            ["wrong-next", 660000002, 200],
            ["get", 2, 405],
            ["elsewhere", 100000000, 404]
          ]
        )
        const { journal } = yield* Emulator.Emulator
        const reasons = (yield* journal.entries).map(({ reason }) => reason ?? "")
        // A second or more may pass between the timestamp and the call.
        assert.isTrue(reasons.some((reason) => /^expired by 6\d s/.test(reason)))
        assert.isTrue(reasons.some((reason) => reason.includes("seconds, not milliseconds")))
      }).pipe(Effect.provide(server)),
    60_000
  )

  it.live(
    "gets 660300005 when it is too fast",
    () =>
      Effect.gen(function* () {
        const codes = new Map((yield* run).map(({ envelope, name }) => [name, envelope.code]))
        assert.strictEqual(codes.get("page"), 0)
        for (const name of ["unregistered", "no-user", "not-json"]) assert.strictEqual(codes.get(name), 660300005)
        assert.strictEqual(codes.get("wrong-secret"), 100000005)
      }).pipe(
        Effect.provide(
          EmulatorServer.layer().pipe(
            Layer.provide(
              Emulator.layer({
                world: worldOf({ u1: groups(50) }),
                quota: ServiceQuota.sliding({ limit: 1, window: "1 minute" })
              })
            )
          )
        )
      ),
    60_000
  )
})
