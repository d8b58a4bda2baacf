/** Everything that `zim doctor` looks at, from the settings to the quota. */
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Answer from "./answer.ts"
import * as Check from "./check.ts"
import * as Reach from "./reach.ts"
import * as Settings from "./settings.ts"

/** Looks at one thing after the other, and shows each result as it comes. */
export const run = Effect.fnUntraced(
  function* <E, R>(options: Answer.Options, show: (check: Check.Check) => Effect.Effect<void, E, R>) {
    const { checks, look } = Check.make(show)
    const start = Option.some(undefined)
    const appId = yield* look("appId", start, () => Settings.appId)
    const serverSecret = yield* look("secret", start, () => Settings.secret)
    const baseUrl = yield* look("endpoint", start, () => Settings.endpoint)
    const target = Option.map(baseUrl, Reach.targetOf)
    const after = <A, B>(self: Option.Option<A>, that: Option.Option<B>) => Option.flatMap(self, () => that)
    const name = yield* look("name", target, (target) => Reach.resolve(target, options.timeout))
    const connection = yield* look("connection", after(name, target), (target) =>
      Reach.connect(target, options.timeout)
    )
    const tls = yield* look("tls", after(connection, target), (target) => Reach.secure(target, options.timeout))
    const settings = after(tls, Option.all({ appId, serverSecret, baseUrl }))
    const answer = yield* look("answer", settings, (settings) => Answer.ask(settings, options))
    yield* look("clock", answer, Answer.lookAtClock)
    const signature = yield* look("signature", answer, Answer.lookAtSignature)
    const service = yield* look("service", after(signature, answer), Answer.lookAtService)
    yield* look("quota", after(service, answer), Answer.lookAtQuota)
    return checks
  },
  Effect.provide(NodeDns.layer),
  Effect.scoped
)
