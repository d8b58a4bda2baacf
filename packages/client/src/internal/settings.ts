/**
 * The settings of a client as the `ConfigProvider` has them. Loaded when they are asked for: a client that is given its
 * settings needs no `Config`.
 */
import { AppId } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { SettingsInvalid } from "../ClientError.ts"
import * as Endpoint from "../Endpoint.ts"
import type { Options } from "../ZimClient.ts"
import { problemOf } from "./problem.ts"

const optional = <A, I>(name: string, schema: Schema.Codec<A, I>): Effect.Effect<Option.Option<A>, SettingsInvalid> =>
  Config.option(Config.schema(schema, name)).pipe(
    Effect.mapError((error) => new SettingsInvalid({ setting: name, problem: problemOf(error.cause) }))
  )

const required = Effect.fnUntraced(function* <A, I>(name: string, schema: Schema.Codec<A, I>, what: string) {
  const value = yield* optional(name, schema)
  if (Option.isNone(value)) return yield* new SettingsInvalid({ setting: name, problem: `not set: ${what}` })
  return value.value
})

export const settings: Effect.Effect<Options, SettingsInvalid> = Effect.gen(function* () {
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
