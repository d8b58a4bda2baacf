/** Everything that `zim doctor` looks at, from the settings to the quota. */
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SignedCall from "./signedCall.ts"
import * as Checklist from "./checklist.ts"
import * as Network from "./network.ts"
import * as Environment from "./environment.ts"

/** Looks at one thing after the other, and shows each result as it comes. */
export const run = Effect.fnUntraced(
  function* <E, R>(options: SignedCall.Options, show: (check: Checklist.Check) => Effect.Effect<void, E, R>) {
    const { checks, look } = Checklist.make(show)
    const start = Option.some(undefined)
    const appId = yield* look("appId", start, () => Environment.appId)
    const serverSecret = yield* look("secret", start, () => Environment.secret)
    const baseUrl = yield* look("endpoint", start, () => Environment.endpoint)
    const quota = yield* look("policies", start, () => Environment.policies)
    const target = Option.map(baseUrl, Network.targetOf)
    const after = <A, B>(self: Option.Option<A>, that: Option.Option<B>) => Option.flatMap(self, () => that)
    const name = yield* look("name", target, (target) => Network.resolve(target, options.timeout))
    const connection = yield* look("connection", after(name, target), (target) =>
      Network.connect(target, options.timeout)
    )
    const tls = yield* look("tls", after(connection, target), (target) => Network.secure(target, options.timeout))
    const settings = after(tls, Option.all({ appId, serverSecret, baseUrl, quota }))
    const answer = yield* look("answer", settings, (settings) => SignedCall.ask(settings, options))
    yield* look("clock", answer, SignedCall.lookAtClock)
    const signature = yield* look("signature", answer, SignedCall.lookAtSignature)
    const service = yield* look("service", after(signature, answer), SignedCall.lookAtService)
    yield* look("quota", after(service, answer), SignedCall.lookAtQuota)
    return checks
  },
  Effect.provide(NodeDns.layer),
  Effect.scoped
)
