/**
 * `zim doctor`: whether this machine can use the service, and if not, why.
 */
import { UserId } from "@effect-zim/protocol"
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { CommandFailed } from "../ErrorReport.ts"
import * as Checklist from "../internal/doctor/checklist.ts"
import * as Clock from "../internal/doctor/clock.ts"
import * as Network from "../internal/doctor/network.ts"
import * as Settings from "../internal/doctor/settings.ts"
import * as SignedCall from "../internal/doctor/signedCall.ts"
import { callsPerSecond, positiveDuration, Quiet } from "../internal/flags.ts"
import * as Output from "../internal/output.ts"
import { standardWidth } from "../internal/printableText.ts"
import * as Terminal from "../internal/terminal.ts"

/** Asked about where nobody is named: that nobody has this id proves as much. */
const nobody = UserId.make("zim-doctor")

/** Looks at one thing after the other, and shows each result as it comes. */
const runChecks = Effect.fnUntraced(
  function* <E, R>(options: SignedCall.Options, show: (check: Checklist.Check) => Effect.Effect<void, E, R>) {
    const { checks, look } = Checklist.make(show)
    const start = Option.some(undefined)
    const appId = yield* look("appId", start, () => Settings.appId)
    const serverSecret = yield* look("secret", start, () => Settings.secret)
    const baseUrl = yield* look("endpoint", start, () => Settings.endpoint)
    const quota = yield* look("policies", start, () => Settings.policies)
    const target = Option.map(baseUrl, Network.targetOf)
    const after = <A, B>(self: Option.Option<A>, that: Option.Option<B>) => Option.flatMap(self, () => that)
    const name = yield* look("name", target, (target) => Network.resolve(target, options.timeout))
    const connection = yield* look("connection", after(name, target), (target) =>
      Network.connect(target, options.timeout)
    )
    const tls = yield* look("tls", after(connection, target), (target) => Network.secure(target, options.timeout))
    const settings = after(tls, Option.all({ appId, serverSecret, baseUrl, quota }))
    const answer = yield* look("answer", settings, (settings) => SignedCall.ask(settings, options))
    yield* look("clock", answer, Clock.lookAtClock)
    const signature = yield* look("signature", answer, SignedCall.lookAtSignature)
    const service = yield* look("service", after(signature, answer), SignedCall.lookAtService)
    yield* look("quota", after(service, answer), SignedCall.lookAtQuota)
    return checks
  },
  Effect.provide(NodeDns.layer),
  Effect.scoped
)

const keys = ["check", "state", "found", "advice", "milliseconds"] as const

/** What a run with a failed check ends with. */
const failureOf = (checks: ReadonlyArray<Checklist.Check>): CommandFailed | undefined => {
  const failed = checks.filter(({ state }) => state === "failed")
  const [first] = failed
  if (first === undefined) return undefined
  const { advice, check, exit, found } = first
  const count = failed.length === 1 ? "" : ` (and ${failed.length - 1} more)`
  return new CommandFailed({ problem: `${Checklist.titles[check]}: ${found}${count}`, advice, exit })
}

/**
 * The command.
 */
export const doctor = Command.make(
  "doctor",
  {
    user: Flag.String("user").pipe(
      Flag.withMetavar("USER"),
      Flag.withDescription("Ask for this user's list; default: somebody who is not there, which proves as much"),
      Flag.withSchema(UserId.UserId),
      Flag.optional
    ),
    probe: Flag.Int("probe").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Make so many calls more, at most 200 and within the quota, until one fails; default 0"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 }))),
      Flag.withDefault(0)
    ),
    callsPerSecond,
    timeout: Flag.String("timeout").pipe(
      Flag.withMetavar("DURATION"),
      Flag.withDescription('How long each look may take; default "5 seconds"'),
      Flag.withSchema(positiveDuration),
      Flag.withDefault(Duration.seconds(5))
    ),
    format: Output.formatFlag("How to print the result; default: table")
  },
  Effect.fnUntraced(function* ({ callsPerSecond, format, probe, timeout, user }) {
    const chosen = Option.getOrElse(format, () => "table" as const)
    const isQuiet = yield* Quiet
    const width = Math.min((yield* Terminal.width) ?? standardWidth, 120)
    const lines = yield* Checklist.linesWithin(width)
    const options = {
      userId: Option.getOrElse(user, () => nobody),
      isExpected: Option.isSome(user),
      probe,
      callsPerSecond,
      timeout
    }
    const checks = yield* runChecks(options, (check) => {
      const isNews = check.state === "failed" || check.state === "warning"
      return chosen === "table" && (isNews || !isQuiet) ? Output.printLines(lines(check)) : Effect.void
    })
    if (chosen !== "table") {
      yield* Output.print(Output.encode(Stream.fromIterable(checks), chosen, keys))
    }
    const failure = failureOf(checks)
    if (failure !== undefined) return yield* failure
  })
).pipe(
  Command.withDescription(
    "Look at everything between this machine and an answer: settings, name, connection, TLS, clock, signature, service " +
      "and quota, each with what to do about it. It makes one call, or two where the clock is off; the exit code is that " +
      "of the first failure."
  ),
  Command.withShortDescription("Find out why it does not work"),
  Command.withExamples([
    { command: "zim doctor" },
    { command: "zim doctor --user user-42", description: "Whether a user is registered, too" },
    { command: "zim doctor --probe 60", description: "Whether the quota is there for 60 calls" },
    { command: "zim doctor --quiet", description: "Only what is wrong" },
    { command: "zim doctor --format json | jq '.[] | select(.state == \"failed\")'" }
  ])
)
