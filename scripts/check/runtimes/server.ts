/**
 * What the probes of all runtimes call, each by an app of its own: an emulator, and a helper beside it that holds requests
 * and says what it saw. Prints where they listen.
 */
import { Emulator, Fault, Journal, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Http from "node:http"
import { text } from "node:stream/consumers"
import { secret } from "./probe/Check.ts"

const appIds = process.argv.slice(2).map(Number)

const friends = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ ConvId: `friend-${i}`, ConvType: 0, UpdateTime: 1_700_000_000_000 + i }))

const faults: Readonly<Record<string, Fault.Fault>> = {
  large: Fault.largeCursors,
  rejected: Fault.times(Fault.returnCode(660300005), 1),
  unknown: Fault.returnCode(123456789),
  gateway: Fault.httpStatus(503),
  redirect: Fault.redirect(),
  broken: Fault.notJson,
  empty: Fault.emptyBody,
  reset: Fault.connectionReset,
  truncated: Fault.truncatedBody,
  bomb: Fault.gzipBomb(64 * 1024 * 1024),
  hanging: Fault.hang,
  stalled: Fault.hangingBody
}

/** Counted for each app: conditions of a fault come before how often it happens. */
const faultsOf = (appId: number): ReadonlyArray<Fault.Fault> =>
  Object.entries(faults).map(
    ([userId, { action, conditions }]) => new Fault.Fault(action, [Fault.app(appId), Fault.user(userId), ...conditions])
  )

const emulator = Emulator.layer({
  world: World.make({
    apps: appIds.flatMap((appId) => [
      { appId, serverSecret: secret, quota: { model: "Unlimited" as const } },
      { appId: appId + 1, serverSecret: secret },
      { appId: appId + 2, serverSecret: secret }
    ]),
    users: [
      { userId: "list", conversations: friends(250) },
      { userId: "large", conversations: friends(250) },
      ...["small", ...Object.keys(faults).filter((name) => name !== "large")].map((userId) => ({
        userId,
        conversations: friends(1)
      }))
    ]
  }),
  faults: appIds.flatMap(faultsOf)
})

/** What is seen of the requests of an app: that one arrived, and that one was closed by its caller. */
const moments = new Map(
  appIds.map((appId) => [`${appId}`, { arrived: Promise.withResolvers<void>(), closed: Promise.withResolvers<void>() }])
)

const soon = async (moment: PromiseWithResolvers<void> | undefined, otherwise: string): Promise<string> => {
  if (moment === undefined) return "there is no such app"
  const late = new Promise<string>((resolve) => setTimeout(() => resolve(otherwise), 5000).unref())
  return Promise.race([moment.promise.then(() => ""), late])
}

const program = Effect.gen(function* () {
  const { journal } = yield* Emulator.Emulator
  const { url } = yield* EmulatorServer.EmulatorServer

  const quota = async (appId: string): Promise<string> => {
    const entries = (await Effect.runPromise(journal.entries)).filter((entry) => entry.appId === Number(appId))
    const { calls, nonceReuses, peak, rateLimited } = Journal.stats(entries)
    return calls === 25 && peak <= 20 && rateLimited === 0 && nonceReuses === 0
      ? ""
      : `${calls} calls, ${peak} of them in one second, ${rateLimited} rejected, ${nonceReuses} nonces used again`
  }

  /** What the probes ask, by the path: whether it is so, or what it is instead. */
  const questions: Readonly<Record<string, (appId: string) => Promise<string>>> = {
    "/arrived": (appId) => soon(moments.get(appId)?.arrived, "no request arrived"),
    "/closed": (appId) => soon(moments.get(appId)?.closed, "the connection stays open"),
    "/quota": quota
  }

  const server = Http.createServer((request, response) => {
    const target = new URL(request.url ?? "/", "http://127.0.0.1")
    const question = questions[target.pathname]
    if (question !== undefined) {
      void question(target.searchParams.get("app") ?? "").then((wrong) =>
        response.writeHead(wrong === "" ? 200 : 500).end(wrong)
      )
      return
    }
    const of = moments.get(target.searchParams.get("AppId") ?? "")
    void text(request).then((body) => {
      // As a gateway that repeats what it was asked.
      if (body.includes("echo"))
        return response.writeHead(502, { "content-type": "text/html" }).end(`<p>${request.url}`)
      of?.arrived.resolve()
      response.on("close", () => of?.closed.resolve())
      return response
    })
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => Effect.sync(() => server.closeAllConnections())
  )
  yield* Console.log(JSON.stringify({ url, helperUrl: `http://127.0.0.1:${port}` }))
  return yield* Effect.never
})

program.pipe(
  Effect.scoped,
  Effect.provide(EmulatorServer.layer().pipe(Layer.provideMerge(emulator), Layer.orDie)),
  NodeRuntime.runMain
)
