/** The options of a quota, with its defaults. */
import * as Duration from "effect/Duration"
import type { Call, Options } from "../Quota.ts"
import type * as Lane from "./lane.ts"

export const limitsOf = (options: Options): Lane.Options => ({
  limit: options.limit ?? 20,
  window: Duration.toMillis(options.window ?? "1 second"),
  grace: Duration.toMillis(options.grace ?? "2 seconds")
})

/** What the quota is one for. */
export const keyOf = (options: Options, call: Call): string =>
  options.per === "operation" ? `${call.appId}:${call.action}` : `${call.appId}`
