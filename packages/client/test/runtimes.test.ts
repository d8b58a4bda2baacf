/**
 * One attempt is one request, whatever happens to its connection: on every runtime, and through every HTTP client that the
 * documentation names. `fetch` repeats a request by itself where it can. And in workerd, requests share the quota.
 */
import { Emulator, Journal, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { UndiciHttpClient } from "@effect-zim/node"
import type { Catalog } from "@effect-zim/protocol"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"
import { RetryAgent, Agent } from "undici"
import { afterAll, beforeAll } from "vitest"
import { type Outcomes, probe } from "./runtimes/probe.ts"
import * as Service from "./runtimes/service.ts"

const folder = mkdtempSync(join(tmpdir(), "zim-runtimes-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  const bundle = (name: string) =>
    build({
      input: fileURLToPath(new URL(`runtimes/${name}.ts`, import.meta.url)),
      external: /^node:/,
      resolve: { conditionNames: ["@effect-zim/source", "import", "default"] },
      output: { file: join(folder, `${name}.mjs`), codeSplitting: false }
    })
  await Promise.all([bundle("program"), bundle("worker")])
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [(name = "main", worker = .probe), (name = "internet", network = (allow = ["local"]))],
      sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
    );
    const probe :Workerd.Worker = (
      modules = [(name = "worker", esModule = embed "worker.mjs")], compatibilityDate = "2026-04-01"
    );`
  )
})

/** Each byte of the answer, and whatever makes `fetch` ask again by its standard. */
const faults: ReadonlyArray<Service.Fault> = [
  ...Array.from({ length: Service.answer.length + 1 }, (_, n) => [`end-${n}`, `reset-${n}`] as const).flat(),
  ...([307, 401, 407, 408, 421, 425, 429, 500, 502, 503, 504] as const).map((status) => `status-${status}` as const)
]

const bin = (name: string) => fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url))

const run = (program: string, args: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] })
    const output: Array<string> = []
    child.stdout.setEncoding("utf8").on("data", (text: string) => output.push(text))
    child.on("error", (error) => resume(Effect.die(error)))
    child.on("close", () => resume(Effect.succeed(output.join(""))))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** It comes without types. The script that the package puts in front of its program passes neither outputs nor signals on. */
const workerdProgram = async (name = "workerd"): Promise<string> => (await import(name)).default

/** workerd, as long as the scope; it says on its third output where it listens. */
const startWorkerd = (program: string) =>
  Effect.callback<{ readonly url: string; readonly stop: () => void }>((resume) => {
    const child = spawn(program, ["serve", "config.capnp", "--control-fd=3"], {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit", "pipe"]
    })
    const stop = () => void child.kill("SIGKILL")
    child.on("error", (error) => resume(Effect.die(error)))
    child.on("exit", () => resume(Effect.die(new Error("workerd ended"))))
    let said = ""
    child.stdio[3]?.on("data", (data) => {
      const port = /"port":(\d+)/.exec((said += String(data)))?.[1]
      if (port !== undefined) resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, stop }))
    })
    return Effect.sync(stop)
  })

const workerd = Effect.acquireRelease(
  Effect.flatMap(
    Effect.promise(() => workerdProgram()),
    startWorkerd
  ),
  ({ stop }) => Effect.sync(stop),
  { interruptible: true }
)

type Run = (url: string, userIds: ReadonlyArray<string>, method: Catalog.Method) => Effect.Effect<Outcomes>

const parsed = (output: string): Outcomes => JSON.parse(output)

const program =
  (name: string, ...args: ReadonlyArray<string>): Run =>
  (url, userIds, method) =>
    Effect.map(run(name, [...args, "program.mjs", url, method, userIds.join(",")]), parsed)

const through =
  (layer: Parameters<typeof probe>[3]): Run =>
  (url, userIds, method) =>
    Effect.promise(() => probe(url, userIds, method, layer))

const runs: Record<string, Run> = {
  "fetch on Node": program(process.execPath),
  "fetch on Bun": program(bin("bun")),
  "fetch on Deno": program(bin("deno"), "run", "--allow-net", "--allow-env"),
  "fetch on workerd": (url, userIds, method) =>
    Effect.gen(function* () {
      const worker = yield* workerd
      const path = method === "GET" ? "probe-get" : "probe"
      const ask = () => fetch(`${worker.url}/${path}?url=${url}`, { method: "POST", body: userIds.join(",") })
      return parsed(yield* Effect.promise(async () => (await ask()).text()))
    }).pipe(Effect.scoped),
  "Effect's client on undici": through(NodeHttpClient.layerUndici),
  "Effect's client on node:http": through(NodeHttpClient.layerNodeHttpOptions({ keepAlive: true })),
  "UndiciHttpClient.layer": through(UndiciHttpClient.layer),
  "UndiciHttpClient over an agent that retries": through(
    UndiciHttpClient.layerDispatcher(() => new RetryAgent(new Agent(), { minTimeout: 1, maxTimeout: 1 }))
  )
}

/** Each as a POST, and as a GET, which has no body that could be read once. */
const methods: ReadonlyArray<readonly [name: string, method: Catalog.Method]> = Object.keys(runs).flatMap((name) =>
  // Who has an agent repeat requests gets that: by default it repeats each method but POST.
  name.endsWith("retries") ? [[name, "POST"] as const] : [[name, "POST"] as const, [name, "GET"] as const]
)

/** What each `fetch` sends again all the same, by its standard: at HTTP 421 the server says that it did nothing. */
const repeatedBy: Readonly<Record<string, string>> = {
  "fetch on Node GET": "status-421"
}

/** Where a connection that broke would have the request sent again, a GET has one of its own. */
const onItsOwn: ReadonlySet<string> = new Set(["fetch on Bun GET", "fetch on Deno GET"])

describe.concurrent.each(methods)("%s, by %s", (name, method) => {
  it.live(
    "sends one request for each attempt",
    () =>
      Effect.gen(function* () {
        const run = `${name} ${method}`
        const service = yield* Service.make
        const outcomes = yield* runs[name]?.(service.url, faults, method) ?? assert.fail(name)
        const count = (userId: string) => service.received.filter((request) => request.userId === userId)

        assert.deepStrictEqual(Object.keys(outcomes), [...faults])
        const repeated = faults.filter((fault) => count(fault).length > 1)
        assert.strictEqual(repeated.join(), repeatedBy[run] ?? "")
        const nonces = service.received.map(({ nonce }) => nonce)
        assert.strictEqual(new Set(nonces).size, nonces.length - repeated.length)
        // Where the server has just closed a connection, that may be found out before anything is sent.
        const atFaults = faults.flatMap(count)
        assert.isAbove(atFaults.length, 0.9 * faults.length)
        assert.isTrue(atFaults.every((request) => request.method === method))
        const reused = atFaults.filter(({ isReused }) => isReused).length
        if (onItsOwn.has(run)) assert.strictEqual(reused, 0, "connections used again")
        else assert.isAbove(reused, 0.5 * faults.length, "connections used again")
        // What it was, and not where it was sent: a signed URL is a credential, and whom a GET asks for is in it.
        assert.notMatch(Object.values(outcomes).join(), /Signature|FromUserId|https?:/i)
        assert.match(outcomes["reset-5"] ?? "", /^no answer: .*(closed|reset|lost|hang up)/i)
        // Not every server takes a body whose length it is not told.
        const hasLength = ({ head }: Service.Received) => /^content-length: /im.test(head) && !/chunked/i.test(head)
        if (method === "POST") assert.isTrue(atFaults.every(hasLength))
      }),
    120_000
  )
})

/** They all ask at once: for more than two windows of the quota. */
const users = Array.from({ length: 60 }, (_, i) => ({
  userId: `user-${i}`,
  /** In milliseconds: some of those who have to wait for the quota leave meanwhile. */
  patience: i >= 20 && i % 3 === 2 ? 25 * i : 60_000
}))
const patient = users.filter(({ patience }) => patience === 60_000)

const world = World.make({
  apps: [{ appId: 12345, serverSecret: "0".repeat(32) }],
  users: users.map(({ userId }) => ({
    userId,
    conversations: [{ ConvId: `friend-of-${userId}`, ConvType: 0, UpdateTime: 1 }]
  }))
})

/** A request whose connection is reset when it is given up: that a connection was only closed, workerd would not notice. */
const ask = (url: string, body: string) =>
  Effect.callback<string>((resume) => {
    const request = Http.request(url, { method: "POST", agent: false }, (response) =>
      resume(Effect.promise(() => text(response)))
    )
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(body)
    return Effect.sync(() => request.socket?.resetAndDestroy())
  })

const emulator = EmulatorServer.layer({ port: 0 }).pipe(Layer.provideMerge(Emulator.layer({ world })), Layer.orDie)

describe.concurrent.each(["/one-runtime", "/client-for-each"])("requests at once in workerd: %s", (path) => {
  it.live(
    "wait for the quota together, and each gets its answer, also beside some that are cancelled",
    () =>
      Effect.gen(function* () {
        const worker = yield* workerd
        const { url } = yield* EmulatorServer.EmulatorServer
        const answers = yield* Effect.forEach(
          users,
          ({ patience, userId }) =>
            Effect.map(
              Effect.timeoutOption(ask(`${worker.url}${path}?url=${url}`, userId), patience),
              (answer) => [userId, answer] as const
            ),
          { concurrency: "unbounded" }
        )
        const answerOf = new Map(answers)
        assert.deepStrictEqual(
          patient.map(({ userId }) => answerOf.get(userId)),
          patient.map(({ userId }) => Option.some(`friend-of-${userId}`))
        )

        const entries = yield* (yield* Emulator.Emulator).journal.entries
        assert.isFalse(entries.some(Journal.isRateLimited), "rejected")
        assert.isAtMost(Journal.peak(entries, "1 second"), 20)
        const sent = new Set(entries.map(({ userId }) => userId))
        assert.strictEqual(sent.size, entries.length, "calls that were sent twice")
        assert.isBelow(sent.size, users.length, "calls that left while they waited")
      }).pipe(Effect.provide(emulator)),
    120_000
  )
})
