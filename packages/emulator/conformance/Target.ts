/** Where the suite is sent: an emulator that it starts itself and can steer, or the real service, politely. */
import { Emulator, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import type { Conversation } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import { Config, Context, Data, Effect, Layer, Option, Redacted, Schema } from "effect"

/** Cannot be shown here; says why. */
export class NotTestable extends Data.TaggedError("NotTestable")<{ readonly reason: string }> {}

/** The settings name no service that could be asked. Repeats no secret. */
export class BadSettings extends Data.TaggedError("BadSettings")<{ readonly message: string }> {}

/** A user, and how many conversations can be read of that user's list. */
export interface Known {
  readonly userId: string
  readonly length: number
}

/** What the suite is run against. */
export class Target extends Context.Service<
  Target,
  {
    readonly name: string
    readonly baseUrl: string
    readonly app: { readonly appId: number; readonly serverSecret: ServerSecret.ServerSecret }
    /** Registered users with lists of known lengths; undefined where only one user is known, and nothing of the list. */
    readonly users: readonly [Known, ...ReadonlyArray<Known>] | undefined
    readonly userId: string
    /** Milliseconds between two calls. */
    readonly pause: number
    readonly emulator: Option.Option<Emulator.Emulator["Service"]>
  }
>()("@effect-zim/emulator/conformance/Target") {}

/** Conversations of any type, oldest first. */
const listOf = (count: number, typeOf: (index: number) => number): ReadonlyArray<Conversation.Wire> =>
  Array.from({ length: count }, (_, index) => {
    const ConvType = typeOf(index)
    const ConvId = ConvType === 0 ? `user-${index + 1}` : `group-${index + 1}`
    return { ConvId, ConvType, UpdateTime: 1_700_000_000_000 + index }
  })

const group = () => 2

const lists: ReadonlyArray<readonly [string, ReadonlyArray<Conversation.Wire>]> = [
  ["nothing", []],
  ["few", listOf(5, (index) => (index < 3 ? 0 : 2))],
  ["some", listOf(250, group)],
  ["many", listOf(1200, group)],
  ["other-types", listOf(4, (index) => index)]
]

export const otherApp = { appId: 4_294_967_295, serverSecret: "another-secret" }

const app = { appId: 12345, serverSecret: "9193cc662a4c0ec135ec71fb57194b38" }

const world = World.make({
  apps: [app, otherApp],
  users: lists.map(([userId, conversations]) => ({ userId, conversations }))
})

/** An emulator of the suite's own, on a free port. */
export const layerEmulator = Layer.effect(
  Target,
  Effect.gen(function* () {
    const { url } = yield* EmulatorServer.EmulatorServer
    return {
      name: "the emulator",
      baseUrl: url,
      app: { appId: app.appId, serverSecret: ServerSecret.make(app.serverSecret) },
      users: [
        { userId: "nothing", length: 0 },
        { userId: "few", length: 5 },
        { userId: "some", length: 250 },
        { userId: "many", length: 1000 }
      ] as const,
      userId: "few",
      pause: 0,
      emulator: Option.some(yield* Emulator.Emulator)
    }
  })
).pipe(Layer.provide(EmulatorServer.layer()), Layer.provide(Emulator.layer({ world, quota: ServiceQuota.unlimited })))

const isLoopback = (host: string): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(host)

const baseUrl = Effect.fnUntraced(function* (text: string) {
  const url = URL.parse(text)
  const problem = (message: string) => new BadSettings({ message: `ZIM_CONFORMANCE_BASE_URL ${message}` })
  if (url === null) return yield* problem("is no URL")
  if (url.search !== "" || url.pathname !== "/") return yield* problem("has more than a host: give https://HOST")
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    return yield* problem("must begin with https: (http: only for this machine), because signed URLs are credentials")
  }
  return url.origin
})

/** A service that is only read, four calls a second. */
export const layerService = Layer.effect(
  Target,
  Effect.gen(function* () {
    const settings = yield* Config.all({
      appId: Config.schema(Schema.FiniteFromString.check(Schema.isInt()), "ZIM_APP_ID"),
      serverSecret: Config.Redacted("ZIM_SERVER_SECRET"),
      // Empty where it is set to nothing: it is asked for only where it is set.
      url: Config.String("ZIM_CONFORMANCE_BASE_URL").pipe(Config.withDefault("")),
      userId: Config.String("ZIM_CONFORMANCE_USER")
    })
    const url = yield* baseUrl(settings.url)
    if (Redacted.value(settings.serverSecret).startsWith("emulator-only-") && !isLoopback(new URL(url).hostname)) {
      return yield* new BadSettings({ message: "ZIM_SERVER_SECRET is that of an emulator, which is on this machine" })
    }
    return {
      name: url,
      baseUrl: url,
      app: { appId: settings.appId, serverSecret: settings.serverSecret },
      users: undefined,
      userId: settings.userId,
      pause: 250,
      emulator: Option.none()
    }
  })
)
