/** The settings, one by one: what each is, and where it comes from. */
import { Endpoint, ZimClient } from "@effect-zim/client"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as ErrorReport from "../../ErrorReport.ts"
import { type Look, ok, warning } from "./checklist.ts"

const standIns = ConfigProvider.fromUnknown({ ZIM_APP_ID: "1", ZIM_SERVER_SECRET: "a stand-in" })

/** What the client says of some settings, whatever the others are. */
const read = (...names: ReadonlyArray<string>): Effect.Effect<ZimClient.Settings, ErrorReport.Report> => {
  /** A name, or the beginning of one: a name may be a path of its words. */
  const isOfThem = (path: ConfigProvider.Path): boolean =>
    names.some((name) => `${name}_`.startsWith(path.map((word) => `${word}_`).join("")))
  return Effect.gen(function* () {
    const real = yield* ConfigProvider.ConfigProvider
    const load: ConfigProvider.ConfigProvider["load"] = (path) =>
      isOfThem(path)
        ? Effect.map(real.load(path), (node) =>
            node?._tag === "Record"
              ? ConfigProvider.makeRecord(new Set([...node.keys].filter((key) => isOfThem([...path, key]))), node.value)
              : node
          )
        : standIns.load(path)
    return yield* Effect.provideService(
      ZimClient.readSettings(),
      ConfigProvider.ConfigProvider,
      ConfigProvider.make(load)
    )
  }).pipe(Effect.mapError(ErrorReport.report))
}

export const appId: Look<number> = Effect.map(read("ZIM_APP_ID"), ({ client }) => ({
  ...ok(`${client.appId}, from ZIM_APP_ID`),
  value: client.appId
}))

export const secret: Look<Redacted.Redacted> = Effect.map(read("ZIM_SERVER_SECRET"), ({ client }) => ({
  ...ok("set, from ZIM_SERVER_SECRET; never shown"),
  value: client.serverSecret
}))

export const endpoint: Look<string> = Effect.map(
  read("ZIM_REGION", "ZIM_BASE_URL"),
  ({ client: { baseUrl, region } }) => {
    const url = baseUrl ?? Endpoint.ofRegion(region)
    // Without the path: a proxy's may be nobody's business.
    const { origin } = new URL(url)
    if (baseUrl === undefined) {
      const source = region === undefined ? "the default, which serves every region" : "from ZIM_REGION"
      return { ...ok(`${origin}, ${source}`), value: url }
    }
    const found = `${origin}, from ZIM_BASE_URL`
    const finding =
      region === undefined
        ? ok(found)
        : warning(`${found}; ZIM_REGION is not used`, "Unset ZIM_REGION or ZIM_BASE_URL: only one counts.")
    return { ...finding, value: url }
  }
)

const ofPolicies = [
  "ZIM_FAILOVER",
  "ZIM_QUOTA_LIMIT",
  "ZIM_QUOTA_WINDOW",
  "ZIM_QUOTA_PER",
  "ZIM_QUOTA_SHARE",
  "ZIM_RETRY",
  "ZIM_RETRY_ATTEMPTS",
  "ZIM_RETRY_BUDGET",
  "ZIM_BREAKER_THRESHOLD",
  "ZIM_TIMEOUT",
  "ZIM_DEADLINE",
  "ZIM_CLOCK_OFFSET"
]

/** Gives what the quota is made of. */
export const policies: Look<ZimClient.Settings["quota"]> = Effect.gen(function* () {
  const { quota } = yield* read(...ofPolicies)
  const isSet = (name: string) => Effect.orElseSucceed(Effect.as(Config.String(name), true), () => false)
  const set = yield* Effect.filter(ofPolicies, isSet)
  return { ...ok(set.length === 0 ? "the defaults" : `from ${set.join(", ")}`), value: quota }
})
