import { Emulator, Fault, FaultJson, ServiceQuota, ServiceClock } from "@effect-zim/emulator"
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as EmulatorAdmin from "@effect-zim/emulator/EmulatorAdmin"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import * as Os from "node:os"
import { appId, ask, groups, parts, secret, toRequest, worldOf } from "./support.ts"

const world = worldOf({ "u 1": groups(3), "u|?#%": groups(1), empty: [] })
const serve = (options?: EmulatorAdmin.Options, emulator?: Partial<Emulator.Options>) =>
  EmulatorAdmin.layer(options).pipe(
    Layer.provideMerge(Emulator.layer({ world, ...emulator })),
    Layer.merge(NodeHttpClient.layerUndici)
  )
const provide = Effect.provide(serve())
const url = Effect.map(EmulatorAdmin.EmulatorAdmin, (admin) => admin.url)
const client = Effect.flatMap(url, AdminApi.client)

interface Answer {
  readonly status: number | undefined
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
}

/** A plain request, as any program makes it. */
const request = Effect.fnUntraced(function* (
  method: string,
  path: string,
  options: { readonly headers?: Record<string, string>; readonly body?: string; readonly host?: string } = {}
) {
  const { port } = new URL(yield* url)
  return yield* Effect.promise(
    () =>
      new Promise<Answer>((resolve, reject) => {
        const headers = {
          ...(options.body !== undefined && { "content-type": "application/json" }),
          ...options.headers
        }
        const sent = Http.request({ host: options.host ?? "127.0.0.1", port, path, method, headers }, (response) => {
          let text = ""
          response.on("data", (bytes) => (text += String(bytes)))
          response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }))
        })
        sent.on("error", reject)
        sent.end(options.body)
      })
  )
})

describe("the admin API", () => {
  it.live("shows faults that were made in code, and have no JSON", () =>
    Effect.gen(function* () {
      yield* (yield* Emulator.Emulator).faults.set([
        Fault.when(
          Fault.hang,
          Fault.where(() => true)
        )
      ])
      assert.deepStrictEqual(yield* (yield* client).getFaults(), [
        { id: "1", description: "hang when a function holds", json: null }
      ])
    }).pipe(provide)
  )

  it.live("shows the journal whatever was asked", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const sent = yield* parts({ FromUserId: "u 1" })
      // More than a double can hold: parsed, it is infinite.
      yield* emulator.handle(toRequest({ ...sent, body: `{"FromUserId":"u 1","Limit":1e999}` }))
      const [entry] = yield* (yield* client).getJournal({ query: {} })
      assert.deepInclude(entry, { code: 660000002, limit: undefined })
    }).pipe(provide)
  )

  it.live("shows every clock that it can set, and messages keep a time that can be served", () =>
    Effect.gen(function* () {
      const admin = yield* client
      const by = Duration.millis
      for (const step of [by(9e12), by(9e12), by(-3e14), by(-3e14), by(0.5)]) {
        yield* admin.stepClock({ payload: { by: step } })
      }
      for (const clock of [ServiceClock.frozen(1000), ServiceClock.skewed(0.5), ServiceClock.frozen()]) {
        yield* admin.putClock({ payload: clock })
        yield* admin.stepClock({ payload: { by: by(0.5) } })
        yield* admin.message({ payload: { from: "u 1", to: "empty" } })
      }
      yield* admin.stepClock({ payload: { by: by(3e14) } })
      assert.strictEqual((yield* admin.getClock()).shown, Date.UTC(9999, 11, 31, 23, 59, 59, 999))
      yield* admin.message({ payload: { from: "u 1", to: "empty", time: 8.64e15 } })
      yield* admin.message({ payload: { from: "u 1", to: "empty" } })
      yield* admin.putClock({ payload: ServiceClock.real })
      const { conversations } = yield* admin.getUser({ params: { userId: "empty" } })
      assert.deepStrictEqual(conversations, [{ ConvId: "u 1", ConvType: 0, UpdateTime: 8.64e15 }])
      assert.deepInclude(yield* ask({ FromUserId: "empty" }), { code: 0 })
    }).pipe(provide)
  )

  it.live("shows and changes users and conversations", () =>
    Effect.gen(function* () {
      const admin = yield* client
      const emulator = yield* Emulator.Emulator
      assert.deepStrictEqual(yield* admin.status(), {
        url: undefined,
        apps: [appId],
        users: 3,
        conversations: 4,
        calls: 0,
        faults: 0
      })
      const { total, users } = yield* admin.listUsers({ query: { search: "u", limit: 1, offset: 1 } })
      assert.deepStrictEqual([total, users.map(({ userId }) => String(userId))], [2, ["u|?#%"]])
      const odd = yield* admin.getUser({ params: { userId: "u|?#%" } })
      assert.deepStrictEqual(odd.conversations, groups(1))
      const some = yield* admin.getConversations({ params: { userId: "u 1" }, query: { offset: 1, limit: 1 } })
      assert.deepStrictEqual(some, { total: 3, conversations: groups(3).slice(1, 2) })

      yield* admin.putUser({ params: { userId: "new" }, payload: { conversations: groups(2), kickedFrom: ["g1"] } })
      yield* admin.putConversations({ params: { userId: "u 1" }, payload: [] })
      yield* admin.deleteUser({ params: { userId: "empty" } })
      const changed = yield* emulator.world.get
      assert.deepStrictEqual(
        changed.users.map(({ conversations, userId }) => [String(userId), conversations.length]),
        [
          ["u 1", 0],
          ["u|?#%", 1],
          ["new", 2]
        ]
      )
      for (const gone of [
        admin.getUser({ params: { userId: "empty" } }),
        admin.deleteUser({ params: { userId: "empty" } }),
        admin.putConversations({ params: { userId: "empty" }, payload: [] })
      ]) {
        assert.strictEqual((yield* Effect.flip<unknown, { readonly _tag: string }, never>(gone))._tag, "AdminNotFound")
      }
      const twice = admin.putConversations({ params: { userId: "new" }, payload: [...groups(1), ...groups(1)] })
      assert.include(String(yield* Effect.flip(twice)), "a conversation occurs once")
    }).pipe(provide)
  )

  it.live("the world goes out without secrets, and comes back with them", () =>
    Effect.gen(function* () {
      const admin = yield* client
      const emulator = yield* Emulator.Emulator
      const { text } = yield* request("GET", "/world")
      assert.notInclude(text, secret)
      assert.deepStrictEqual((yield* admin.getWorld()).users, world.users)
      const shown = JSON.parse(text)
      const put = (payload: Schema.Json) => admin.putWorld({ payload })
      yield* put({ ...shown, users: shown.users.slice(0, 1) })
      const now = yield* emulator.world.get
      assert.strictEqual(now.users.length, 1)
      assert.deepStrictEqual(
        now.apps.map((app) => Redacted.value(app.serverSecret)),
        [secret]
      )
      yield* put({ apps: [{ appId: 7, serverSecret: "another", quota: { model: "Unlimited" } }], users: [] })
      assert.deepStrictEqual((yield* emulator.world.get).apps[0]?.quota, ServiceQuota.unlimited)
      assert.include(
        String(yield* Effect.flip(put({ apps: [{ appId: 8, serverSecret: AdminApi.redacted }], users: [] }))),
        "needs its serverSecret"
      )
      const wrong = yield* Effect.flip(put({ apps: [{ appId: 8, serverSecret: [secret] }], users: [] }))
      assert.include(String(wrong), `["serverSecret"]`)
      assert.notInclude(String(wrong), secret)
    }).pipe(provide)
  )

  it.live("lets things happen", () =>
    Effect.gen(function* () {
      const admin = yield* client
      const emulator = yield* Emulator.Emulator
      yield* admin.register({ payload: { userId: "bob" } })
      yield* admin.createGroup({ payload: { group: "new", members: ["bob", "u 1"] } })
      yield* admin.kick({ payload: { group: "new", userId: "bob" } })
      yield* admin.message({ payload: { from: "u 1", group: "new" } })
      yield* admin.message({ payload: { from: "u 1", to: "bob" } })
      yield* admin.disband({ payload: { group: "g1" } })
      yield* admin.change({ payload: { type: "disband", group: "g2" } })
      const { disbanded, users } = yield* emulator.world.get
      assert.deepStrictEqual(
        users.map(({ conversations, userId }) => [String(userId), ...conversations.map(({ ConvId }) => ConvId)]),
        [["u 1", "g3", "new", "bob"], ["u|?#%"], ["empty"], ["bob", "new", "u 1"]]
      )
      assert.deepStrictEqual(disbanded, ["g1", "g2"])
      const refused = yield* Effect.flip(admin.disband({ payload: { group: "g1" } }))
      assert.strictEqual(refused._tag, "ChangeRefused")
    }).pipe(provide)
  )

  it.live("sets faults, quota, clock and reading", () =>
    Effect.gen(function* () {
      const admin = yield* client
      const emulator = yield* Emulator.Emulator
      const spec = { type: "returnCode", code: 1, when: [{ nth: 1 }] } as const
      assert.deepStrictEqual(yield* admin.putFaults({ payload: [spec] }), [
        { id: "1", description: "returnCode(code: 1) when the 1st call", json: spec }
      ])
      assert.deepStrictEqual(
        yield* Effect.forEach([1, 2], () => ask({ FromUserId: "empty" })).pipe(
          Effect.map((answers) => answers.map(({ code }) => code))
        ),
        [1, 0]
      )
      yield* admin.addFault({ payload: { type: "hang" } })
      assert.strictEqual((yield* admin.getFaults()).length, 2)
      yield* emulator.faults.set([Fault.rewrite("mine", (reply) => reply)])
      const [mine] = yield* admin.getFaults()
      assert.deepInclude(mine, { description: "mine", json: null })
      const added = yield* admin.addFault({ payload: [{ type: "hang" }, { type: "emptyBody" }] })
      assert.deepStrictEqual(
        added.map(({ description }) => description),
        ["mine", "hang", "emptyBody"]
      )
      const byId = { params: { id: mine?.id ?? "" } }
      assert.deepStrictEqual(yield* admin.deleteFault(byId), added.slice(1))
      assert.strictEqual((yield* Effect.flip(admin.deleteFault(byId)))._tag, "AdminNotFound")
      assert.deepStrictEqual(yield* admin.getFaults(), added.slice(1))
      yield* admin.deleteFaults()
      assert.deepStrictEqual(yield* emulator.faults.get, [])

      const limited = yield* admin.putQuota({ payload: ServiceQuota.leaky({ limit: 7 }) })
      assert.strictEqual(limited.description, "Leaky: 7 per 1s, queue 0, per App")
      yield* ask({ FromUserId: "empty" })
      const [gauge] = (yield* admin.getQuota()).gauges
      assert.deepInclude(gauge, { appId, action: null, used: 1, available: 0 })
      yield* admin.putQuota({ payload: ServiceQuota.unlimited })
      assert.deepInclude((yield* admin.getQuota()).gauges[0], { available: null, wait: 0 })

      const frozen = yield* admin.putClock({ payload: ServiceClock.frozen(1_700_000_000_000) })
      assert.strictEqual(frozen.shown, 1_700_000_000_000)
      assert.strictEqual((yield* admin.stepClock({ payload: { by: Duration.seconds(-1) } })).shown, 1_699_999_999_000)
      assert.deepStrictEqual(yield* emulator.clock.get, ServiceClock.frozen(1_699_999_999_000))

      const reading = { ...(yield* admin.getReading()), emptyList: "Null" as const }
      assert.deepStrictEqual(yield* admin.putReading({ payload: reading }), reading)
      assert.deepStrictEqual(yield* emulator.reading.get, reading)
    }).pipe(provide)
  )

  it.live("snapshots, restores and resets", () =>
    Effect.gen(function* () {
      const admin = yield* client
      const emulator = yield* Emulator.Emulator
      assert.deepStrictEqual(yield* admin.snapshot({ payload: {} }), { name: "snapshot-1" })
      yield* admin.message({ payload: { from: "u 1", to: "empty" } })
      yield* admin.addFault({ payload: { type: "hang" } })
      yield* admin.snapshot({ payload: { name: "later" } })
      const later = yield* emulator.snapshot
      assert.deepStrictEqual(yield* admin.listSnapshots(), ["snapshot-1", "later"])
      yield* admin.restore({ payload: { name: "snapshot-1" } })
      assert.strictEqual(yield* emulator.world.get, world)
      assert.deepStrictEqual(yield* emulator.faults.get, [])
      yield* admin.restore({ payload: { name: "later" } })
      assert.deepStrictEqual(yield* emulator.snapshot, later)
      yield* admin.reset()
      assert.strictEqual(yield* emulator.world.get, world)
      assert.strictEqual((yield* Effect.flip(admin.restore({ payload: { name: "never" } })))._tag, "AdminNotFound")
    }).pipe(provide)
  )

  it.live("tells what happened, and what is happening", () =>
    Effect.gen(function* () {
      const admin = yield* client
      const isHeard = yield* Latch.make()
      const live = yield* Stream.unwrap(admin.live()).pipe(
        Stream.tap(() => isHeard.open),
        Stream.filter(({ userId }) => userId !== "before"),
        Stream.take(2),
        Stream.runCollect,
        Effect.forkChild({ startImmediately: true })
      )
      // When the stream has begun only it can tell: calls are made until it tells of one.
      yield* Effect.raceFirst(isHeard.await, Effect.forever(ask({ FromUserId: "before" })))
      yield* admin.deleteJournal()
      yield* ask({ FromUserId: "empty" })
      yield* ask({ FromUserId: "nobody" })
      const entries = yield* admin.getJournal({ query: {} })
      const { journal } = yield* Emulator.Emulator
      assert.deepStrictEqual(entries, yield* journal.entries)
      assert.deepStrictEqual([...(yield* Fiber.join(live))], [...entries])
      assert.deepStrictEqual(yield* admin.getJournal({ query: { ok: false } }), entries.slice(1))
      assert.deepStrictEqual(yield* admin.getJournal({ query: { latest: 1, code: 0 } }), entries.slice(0, 1))
      const stats = yield* admin.getStats({ query: { appId, window: Duration.minutes(1) } })
      assert.deepInclude(stats, { calls: 2, succeeded: 1, peak: 2, window: 60_000, nonceReuses: 0 })
      assert.deepStrictEqual(stats.attempts, { empty: 1, nobody: 1 })
      yield* admin.deleteJournal()
      assert.deepStrictEqual(yield* admin.getJournal({ query: {} }), [])
    }).pipe(provide)
  )

  it.live("describes itself, and shows its page", () =>
    Effect.gen(function* () {
      const { text } = yield* request("GET", "/openapi.json")
      const document: { readonly paths: Record<string, Record<string, unknown>> } = JSON.parse(text)
      assert.containsAllKeys(document.paths, ["/world", "/faults", "/journal/live", "/users/{userId}/conversations"])
      assert.hasAllKeys(document.paths["/faults"], ["get", "put", "post", "delete"])
      assert.include(text, "latencyPareto")
      const page = yield* request("GET", "/")
      assert.strictEqual(page.headers["content-type"], "text/html; charset=utf-8")
      assert.include(page.headers["content-security-policy"], "frame-ancestors 'none'")
      assert.include(page.text, "/openapi.json")
    }).pipe(provide)
  )

  it.live("serves the page it is given, and says where the emulator is", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* request("GET", "/")).text, "<!doctype html><p>mine")
      assert.strictEqual((yield* (yield* client).status()).url, "http://127.0.0.1:1")
    }).pipe(Effect.provide(serve({ page: "<!doctype html><p>mine", emulatorUrl: "http://127.0.0.1:1" })))
  )
})

describe("what it refuses", () => {
  const json = { "content-type": "application/json" }

  it.live.each([
    ["PUT", "/faults", "[", 400, "not JSON"],
    ["PUT", "/faults", "{}", 400, "Expected array"],
    ["PUT", "/faults", `[{"type":"hang","wen":[]}]`, 400, `no excess property\n  at [0]["wen"]`],
    ["PUT", "/faults", `[{"type":"hung"}]`, 400, "whose type is one of"],
    ["POST", "/faults", `{"type":"hung"}`, 400, "whose type is one of"],
    ["POST", "/faults", `[{"type":"hang","wen":[]}]`, 400, `no excess property\n  at [0]["wen"]`],
    ["DELETE", "/faults/7", "", 404, "there is no fault 7"],
    ["PUT", "/quota", `{"model":"Soft"}`, 400, "whose model is one of"],
    ["PUT", "/quota", `{"model":"Fixed","limmit":3}`, 400, `["limmit"]`],
    ["PUT", "/clock", `{"mode":"Wrong"}`, 400, "whose mode is one of"],
    ["POST", "/clock/step", `{"by":"soon"}`, 400, `["by"]`],
    ["POST", "/register", `{"userId":"bäd"}`, 400, `["userId"]`],
    ["POST", "/change", `{"type":"explode"}`, 400, "whose type is one of"],
    ["POST", "/snapshot", `{"name":"../x"}`, 400, `["name"]`],
    ["PUT", "/world", `{"users":[]}`, 400, `["apps"]`],
    ["PUT", "/users/it's", `{"conversations":[]}`, 400, `["userId"]`],
    ["POST", "/nowhere", `{}`, 404, "no such route"],
    ["PATCH", "/faults", `{}`, 404, "no such route"]
  ] as const)("%s %s %s", ([method, path, body, status, problem]) =>
    Effect.gen(function* () {
      const answer = yield* request(method, path, { body })
      assert.strictEqual(answer.status, status, answer.text)
      const { _tag, problem: said } = JSON.parse(answer.text)
      assert.strictEqual(_tag, status === 400 ? "AdminRequestInvalid" : "AdminNotFound")
      assert.include(said, problem)
    }).pipe(provide)
  )

  it.live.each(["/journal?latest=-1", "/journal?ok=maybe", "/users?limit=x", "/journal/stats?window=0"])(
    "GET %s",
    (path) =>
      Effect.gen(function* () {
        const answer = yield* request("GET", path)
        assert.strictEqual(answer.status, 400)
        assert.match(JSON.parse(answer.text).problem, /^Query: /)
      }).pipe(provide)
  )

  it.live("what changes something without the JSON content type", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.set([Fault.hang])
      for (const [method, path] of [
        ["DELETE", "/faults"],
        ["POST", "/reset"],
        ["PUT", "/faults"],
        ["OPTIONS", "/faults"]
      ] as const) {
        for (const headers of [{}, { "content-type": "text/plain" }, { "content-type": "application/jsonp" }]) {
          assert.strictEqual((yield* request(method, path, { headers })).status, 415, `${method} ${path}`)
        }
      }
      assert.deepStrictEqual(yield* emulator.faults.get, [Fault.hang])
      assert.strictEqual((yield* request("DELETE", "/faults", { headers: json })).status, 204)
    }).pipe(provide)
  )

  it.live.each([
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "128.0.0.1",
    "[::2]",
    "localhost@evil.example"
  ])("a Host header of %j", (host) =>
    Effect.gen(function* () {
      const answer = yield* request("GET", "/status", { headers: { host } })
      assert.strictEqual(answer.status, 403)
      assert.include(answer.text, "Host header")
      assert.notProperty(answer.headers, "access-control-allow-origin")
    }).pipe(provide)
  )

  it.live.each(["localhost", "LOCALHOST:1234", "127.0.0.1:80", "127.8.8.8", "[::1]:9461"])("but not %s", (host) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* request("GET", "/status", { headers: { host } })).status, 200)
    }).pipe(provide)
  )

  it.live("pages of other origins, also of other ports; not its own page", () =>
    Effect.gen(function* () {
      const own = yield* url
      for (const origin of ["http://evil.example", "null", "http://127.0.0.1:1", own.replace("http", "https")]) {
        for (const [method, path] of [
          ["GET", "/status"],
          ["POST", "/reset"]
        ] as const) {
          const answer = yield* request(method, path, { headers: { ...json, origin } })
          assert.strictEqual(answer.status, 403, origin)
          assert.notProperty(answer.headers, "access-control-allow-origin")
        }
      }
      assert.strictEqual((yield* request("POST", "/reset", { headers: { ...json, origin: own } })).status, 204)
    }).pipe(provide)
  )

  it.effect.each(["0.0.0.0", "::", "192.168.1.2", "example.com"])("to listen on %s", (host) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.provide(url, serve({ host })))
      assert.strictEqual(error._tag, "HostNotLoopback")
    })
  )

  it.live("peers from elsewhere, unless they are named", () => {
    const addresses = Object.values(Os.networkInterfaces()).flatMap((list) => list ?? [])
    const address = addresses.find((one) => !one.internal && one.family === "IPv4")?.address
    assert.isDefined(address, "this test needs an address of this machine that is not loopback")
    const remote = (peers: ReadonlyArray<string>) => ({ host: "0.0.0.0", remote: { hosts: [address ?? ""], peers } })
    const status = Effect.map(request("GET", "/status", { host: address ?? "" }), (answer) => answer.status)
    return Effect.gen(function* () {
      assert.strictEqual(yield* status.pipe(Effect.provide(serve(remote([])))), 403)
      assert.strictEqual(yield* status.pipe(Effect.provide(serve(remote(["203.0.113.0/24"])))), 403)
      assert.strictEqual(yield* status.pipe(Effect.provide(serve(remote([address ?? ""])))), 200)
      assert.strictEqual(yield* status.pipe(Effect.provide(serve(remote([`${address}/8`])))), 200)
    })
  })

  it.live("a fault of JSON never breaks the admin API itself", () =>
    Effect.gen(function* () {
      const admin = yield* client
      yield* admin.putFaults({ payload: [FaultJson.FaultJson.make({ type: "connectionReset" })] })
      assert.strictEqual((yield* request("GET", "/status")).status, 200)
    }).pipe(provide)
  )
})
