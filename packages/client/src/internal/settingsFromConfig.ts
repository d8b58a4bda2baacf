/**
 * The settings of a client as the `ConfigProvider` has them. Loaded when they are asked for: a client that is given its
 * settings needs no `Config`.
 */
import { AppId } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { SettingsInvalid } from "../ClientError.ts"
import * as Endpoint from "../Endpoint.ts"
import { firstLine } from "./firstLine.ts"

/** Whether there is a key of that name with nothing in it: most providers give nothing at all for an empty text. */
const isEmpty = Effect.fnUntraced(function* (name: string) {
  const provider = yield* ConfigProvider.ConfigProvider
  // In an environment, a name is a path as well.
  for (const path of [[name], name.split("_")]) {
    const around = yield* provider.load(path.slice(0, -1))
    const isKey = around?._tag === "Record" && around.keys.has(path.at(-1) ?? "")
    const node = isKey ? yield* provider.load(path) : undefined
    if (isKey && (node === undefined || node.value === "")) return true
  }
  return false
})

const optional = Effect.fnUntraced(
  function* <A, I>(name: string, schema: Schema.Codec<A, I>) {
    const invalid = (problem: string) => new SettingsInvalid({ setting: name, problem })
    if (yield* Effect.mapError(isEmpty(name), ({ message }) => invalid(message))) {
      return yield* invalid("it is empty: give it a value, or unset it")
    }
    const value = Config.option(Config.schema(schema, name))
    return yield* Effect.mapError(value, ({ cause }) => invalid(firstLine(cause)))
  },
  // Deno throws where it may not look at the environment.
  (self, name) =>
    Effect.catchDefect(self, (cause) => {
      const problem = `cannot be read: ${cause instanceof Error ? firstLine(cause) : String(cause)}`
      return Effect.fail(new SettingsInvalid({ setting: name, problem }))
    })
)

const required = Effect.fnUntraced(function* <A, I>(name: string, schema: Schema.Codec<A, I>, what: string) {
  const value = yield* optional(name, schema)
  if (Option.isNone(value)) return yield* new SettingsInvalid({ setting: name, problem: `not set: ${what}` })
  return value.value
})

export const settings = Effect.gen(function* () {
  return {
    appId: yield* required("ZIM_APP_ID", AppId.FromString, "it is the app's id, a number, in the vendor's console"),
    serverSecret: yield* required(
      "ZIM_SERVER_SECRET",
      ServerSecret.ServerSecret,
      "it is the app's ServerSecret in the vendor's console"
    ),
    region: Option.getOrUndefined(yield* optional("ZIM_REGION", Endpoint.Region)),
    baseUrl: Option.getOrUndefined(yield* optional("ZIM_BASE_URL", Endpoint.BaseUrl))
  }
})
