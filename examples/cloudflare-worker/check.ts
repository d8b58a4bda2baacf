/**
 * The worker in workerd, which is what Cloudflare runs: bundled as `wrangler` does it, with its bindings, and asked by 40
 * users at once.
 */
import { Journal } from "@effect-zim/emulator"
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, Effect, FileSystem, Schema, Stream } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { ChildProcess } from "effect/process"
import * as assert from "node:assert/strict"
import { build } from "rolldown"

const bindings = ["ZIM_APP_ID", "ZIM_SERVER_SECRET", "ZIM_BASE_URL"]

const configuration = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["local"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  bindings = [${bindings.map((name) => `(name = "${name}", fromEnvironment = "${name}")`).join(", ")}],
  compatibilityDate = "2026-04-01"
);`

/** The package is CommonJS, has no types, and exports the path of its program. */
const Workerd = Schema.Struct({ default: Schema.Struct({ default: Schema.String }) })

const workerd = Effect.gen(function* () {
  const name: string = "workerd"
  const module: unknown = yield* Effect.promise(() => import(name))
  return (yield* Schema.decodeUnknownEffect(Workerd)(module)).default.default
})

/** What it says once it listens. */
const Listening = Schema.fromJsonString(Schema.Struct({ port: Schema.Int }))

const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))
  const cwd = yield* fs.makeTempDirectoryScoped()
  yield* Effect.promise(() => build({ input: "src/worker.ts", output: { file: `${cwd}/worker.mjs`, minify: true } }))
  yield* fs.writeFileString(`${cwd}/config.capnp`, configuration)
  const { size } = yield* fs.stat(`${cwd}/worker.mjs`)
  yield* Console.log(`the worker has ${Math.round(Number(size) / 1024)} KiB, not compressed`)

  const child = yield* ChildProcess.make(yield* workerd, ["serve", "config.capnp", "--control-fd=3"], {
    cwd,
    stdout: "inherit",
    stderr: "inherit",
    additionalFds: { fd3: { type: "output" } }
  })
  const line = yield* Stream.decodeText(child.getOutputFd(3)).pipe(Stream.splitLines, Stream.runHead)
  const { port } = yield* Effect.fromOption(line).pipe(Effect.flatMap(Schema.decodeEffect(Listening)))
  const get = (userId: string) => HttpClient.get(`http://127.0.0.1:${port}/conversations?user=${userId}`)

  const [known, ...others] = yield* Effect.forEach(["user-1", "nobody", "not%2Fan%2Fid"], get)
  assert.deepEqual([known?.status, ...others.map(({ status }) => status)], [200, 404, 400])

  const many = yield* Effect.forEach(
    Array.from({ length: 40 }, (_, i) => `user-${(i % 20) + 1}`),
    get,
    {
      concurrency: "unbounded"
    }
  )
  const entries = yield* emulator.getJournal({ query: {} })
  const peak = Journal.peak(entries, "1 second")
  yield* Console.log(`${many.length} requests at once, ${entries.length} calls, ${peak} of them in a second at most`)
  assert.ok(many.every(({ status }) => status === 200))
  assert.ok(peak <= 20 && !entries.some(Journal.isRateLimited))
})

program.pipe(Effect.scoped, Effect.provide([NodeServices.layer, FetchHttpClient.layer]), NodeRuntime.runMain)
