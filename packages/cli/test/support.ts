/** Runs `zim`: as a process of its own, as users do, or in this process with a terminal of the test's making. */
import { assert, expect } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ZimCommand } from "@effect-zim/cli"
import { RetryPolicy } from "@effect-zim/client"
import { Emulator, Fault, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { ConfigProvider, Console, Effect, Layer, Sink, Stdio, Stream, Terminal } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import type { Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What `bundle.ts` has made. Without it, outside of vitest, the sources do. */
const bundle = process.env["ZIM_TEST_BUNDLE"]

/** The program, or the part of it without short answers, and how to run it. */
export const programOf = (part: "bin" | "zim"): ReadonlyArray<string> =>
  bundle === undefined
    ? [
        process.execPath,
        "--conditions=@effect-zim/source",
        fileURLToPath(new URL(`../src/${part}.ts`, import.meta.url))
      ]
    : [process.execPath, join(bundle, `${part}.js`)]

export const program = programOf("bin")

export const bareEnvironment: Record<string, string> = {
  PATH: process.env["PATH"] ?? "",
  NODE_COMPILE_CACHE: join(bundle ?? join(tmpdir(), "zim-test"), "compiled")
}

/** Starts the program. Its environment is only what is given: no setting of the machine leaks in. */
export const start = (
  args: ReadonlyArray<string>,
  env: Record<string, string> = {},
  limits: { /** In KB. */ readonly maximumFile?: number; /** A file. */ readonly stdin?: string } = {}
) => {
  const command = [...program, ...args]
  const { maximumFile, stdin } = limits
  const limit = maximumFile === undefined ? "" : `ulimit -f ${maximumFile}; `
  const shell = ["bash", "-c", `${limit}exec "$@"${stdin === undefined ? "" : ' < "$0"'}`, stdin ?? "bash", ...command]
  const [first = "", ...rest] = maximumFile === undefined && stdin === undefined ? command : shell
  return spawn(first, rest, {
    env: { ...bareEnvironment, ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
}

/** Waits for an event of a program that should not end before; one that does fails the test at once. */
export const before = async (child: ChildProcess, event: Promise<unknown>): Promise<void> => {
  const ended = once(child, "close").then(() => assert.fail("the program ended too soon"))
  await Promise.race([event, ended])
  ended.catch(() => undefined)
}

/** Runs the program to its end. */
export const zim = async (args: ReadonlyArray<string>, env: Record<string, string> = {}): Promise<Outcome> => {
  const child = start(args, env)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
  return { code: child.exitCode, stdout, stderr }
}

export const app = { appId: 12345, serverSecret: "canary-secret-9193cc662a4c0ec1" }

/** Settings that reach an emulator. */
export const settings = (url: string): Record<string, string> => ({
  ZIM_APP_ID: String(app.appId),
  ZIM_SERVER_SECRET: app.serverSecret,
  ZIM_BASE_URL: url
})

/** 2024-02-18T11:06:35.000Z */
export const noon = 1_708_254_395_000

/** A user for each thing that can be looked at. */
export const world = World.make({
  apps: [app],
  users: [
    {
      userId: "ada",
      conversations: [
        { ConvId: "grace", UpdateTime: noon },
        { ConvId: "群组-🎉-party", ConvType: 2, UpdateTime: noon + 1 },
        { ConvId: 'quoted "and", comma', ConvType: 2, UpdateTime: noon + 2_000 },
        { ConvId: "channel-7", ConvType: 3, UpdateTime: noon + 3_000 },
        { ConvId: "bell\u0007\u001B[31mred", ConvType: 2, UpdateTime: noon + 4_000 },
        { ConvId: `long-${"字".repeat(60)}`, ConvType: 2, UpdateTime: noon + 5_000 }
      ]
    },
    { userId: "nobody-writes-me" },
    ...[
      "rate-limited",
      "throttled",
      "html",
      "not-permitted",
      "unknown-code",
      "cut-off",
      "circle",
      "late",
      "two-pages"
    ].map((userId) => ({
      userId,
      conversations: Array.from({ length: 750 }, (_, i) => ({
        ConvId: `conversation-${i}`,
        ConvType: 2 * (i % 2),
        UpdateTime: noon + i
      }))
    }))
  ]
})

const faults = [
  Fault.returnCode(660300005).pipe(Fault.when(Fault.user("rate-limited"))),
  Fault.returnCode(7).pipe(Fault.when(Fault.user("throttled"))),
  Fault.httpStatus(502).pipe(Fault.when(Fault.user("html"))),
  Fault.returnCode(100000017).pipe(Fault.when(Fault.user("not-permitted"))),
  Fault.returnCode(424242, "never heard of").pipe(Fault.when(Fault.user("unknown-code"))),
  Fault.returnCode(100000004).pipe(Fault.when(Fault.user("late"))),
  Fault.truncatedBody.pipe(Fault.when(Fault.user("cut-off"))),
  Fault.cyclingCursor(2).pipe(Fault.when(Fault.user("circle")))
]

/** The service of these tests. Without a quota: every run is a client of its own and knows nothing of the others. */
export const service: Layer.Layer<EmulatorServer.EmulatorServer | Emulator.Emulator> = EmulatorServer.layer().pipe(
  Layer.provideMerge(Emulator.layer({ world, faults, quota: ServiceQuota.unlimited })),
  Layer.orDie
)

/**
 * Runs a command line in this process, without retries unless told. With `columns`, standard output and error are a terminal of that
 * width.
 */
export const invoke = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  options: {
    readonly env?: Record<string, string>
    readonly columns?: number
    readonly stdin?: string
    readonly retry?: RetryPolicy.RetryPolicy
  } = {}
) {
  const stdout: Array<string> = []
  const stderr: Array<string> = []
  const isTerminal = options.columns !== undefined
  const stdio = Stdio.layerTest({
    stdoutIsTerminal: Effect.succeed(isTerminal),
    stderrIsTerminal: Effect.succeed(isTerminal),
    stdout: () => Sink.forEach((part) => Effect.sync(() => stdout.push(String(part)))),
    stderr: () => Sink.forEach((part) => Effect.sync(() => stderr.push(String(part)))),
    stdin: Stream.make(new TextEncoder().encode(options.stdin ?? ""))
  })
  const terminal = Layer.effect(
    Terminal.Terminal,
    Effect.map(Terminal.Terminal, (terminal) => ({ ...terminal, columns: Effect.succeed(options.columns ?? 0) }))
  )
  const console: Console.Console = {
    ...globalThis.console,
    log: (...parts) => stdout.push(`${parts.join(" ")}\n`),
    error: (...parts) => stderr.push(`${parts.join(" ")}\n`)
  }
  const code = yield* ZimCommand.run(args).pipe(
    Effect.provideService(Console.Console, console),
    Effect.provideService(RetryPolicy.Current, options.retry ?? RetryPolicy.none),
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: options.env ?? {} })),
    Effect.provide(Layer.mergeAll(stdio, terminal).pipe(Layer.provideMerge(NodeServices.layer)))
  )
  return { code, stdout: stdout.join(""), stderr: stderr.join("") } satisfies Outcome
})

/** The same, with the settings of a running emulator. */
export const invokeAt = (url: string, args: ReadonlyArray<string>, columns?: number) =>
  invoke(args, { env: settings(url), ...(columns === undefined ? {} : { columns }) })

/** Holds a text against a file that is read by people, too: `vitest -u` writes it anew. */
export const matchGolden = (text: string, name: string): Effect.Effect<void> =>
  Effect.promise(() => expect(text).toMatchFileSnapshot(`golden/${name}.txt`))

/** The port that a server listens on. */
export const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : assert.fail("the server does not listen")
}
