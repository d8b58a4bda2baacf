/** The settings, one by one: what each is, and where it comes from. */
import { ClientError, Endpoint } from "@effect-zim/client"
import { AppId } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Failure from "../../Failure.ts"
import { type Look, ok, type Problem, warning } from "./check.ts"

const invalid = (setting: string, problem: string): Problem =>
  Failure.report(new ClientError.SettingsInvalid({ setting, problem }))

const optional = <A, I>(setting: string, schema: Schema.Codec<A, I>): Effect.Effect<Option.Option<A>, Problem> =>
  Config.option(Config.schema(schema, setting)).pipe(
    // Where it is wrong, the setting's name says better than the lines after the first.
    Effect.mapError((error) => invalid(setting, error.cause.message.split("\n", 1).join()))
  )

const required = Effect.fnUntraced(function* <A, I>(setting: string, schema: Schema.Codec<A, I>, what: string) {
  const value = yield* optional(setting, schema)
  return Option.isSome(value) ? value.value : yield* Effect.fail(invalid(setting, `not set: ${what}`))
})

export const appId: Look<AppId.AppId> = required(
  "ZIM_APP_ID",
  AppId.FromString,
  "the app's id in the vendor's console"
).pipe(Effect.map((id) => [ok(`${id}, from ZIM_APP_ID`), id]))

export const secret: Look<ServerSecret.ServerSecret> = required(
  "ZIM_SERVER_SECRET",
  ServerSecret.ServerSecret,
  "the app's ServerSecret in the vendor's console"
).pipe(Effect.map((secret) => [ok("set, from ZIM_SERVER_SECRET; never shown"), secret]))

export const endpoint: Look<Endpoint.BaseUrl> = Effect.gen(function* () {
  const region = yield* optional("ZIM_REGION", Endpoint.Region)
  const baseUrl = yield* optional("ZIM_BASE_URL", Endpoint.BaseUrl)
  // Without the path: a proxy's may be nobody's business.
  const shown = (url: Endpoint.BaseUrl) => new URL(url).origin
  if (Option.isSome(baseUrl)) {
    const found = `${shown(baseUrl.value)}, from ZIM_BASE_URL`
    return Option.isSome(region)
      ? [
          warning(`${found}; ZIM_REGION is not used`, "Unset ZIM_REGION or ZIM_BASE_URL: only one counts."),
          baseUrl.value
        ]
      : [ok(found), baseUrl.value]
  }
  const url = Endpoint.ofRegion(Option.getOrUndefined(region))
  const source = Option.isSome(region) ? "from ZIM_REGION" : "the default, which serves every region"
  return [ok(`${shown(url)}, ${source}`), url]
})
