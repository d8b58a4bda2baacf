import { Signature } from "@effect-zim/signing"
import * as Effect from "effect/Effect"
import type { App } from "../World.ts"
import type { Refusal } from "./handler.ts"

/** The common parameters as they were sent; a repeated one is an array. */
export type Query = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const names = ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature"] as const

export const readQuery = (target: string): Query => {
  const params = new URLSearchParams(target.slice(target.indexOf("?") + 1))
  const query: Record<string, string | ReadonlyArray<string> | undefined> = {}
  for (const name of names) {
    const values = params.getAll(name)
    query[name] = values.length > 1 ? values : values[0]
  }
  return query
}

/** The codes of a parameter that is absent and of one that is there but wrong. */
const codes = {
  AppId: { Missing: 100000001, Malformed: 100000001 },
  Timestamp: { Missing: 100000002, Malformed: 100000003 },
  SignatureNonce: { Missing: 100000008, Malformed: 100000008 },
  Signature: { Missing: 100000009, Malformed: 100000009 },
  SignatureVersion: { Missing: 100000013, Malformed: 100000014 }
} as const

const codeOf = (reason: typeof Signature.Reason.Type): number => {
  switch (reason._tag) {
    case "Missing":
    case "Malformed":
      return codes[reason.parameter][reason._tag]
    case "UnsupportedVersion":
      return 100000014
    case "Expired":
      return 100000004
    case "Wrong":
      return 100000005
  }
}

const refuse = (error: Signature.SignatureRejected): Refusal => ({
  code: codeOf(error.reason),
  reason: error.message
})

/** Reads the signed parameters; every one is there and well-formed, or the call is refused. */
export const decode = (query: Query): Effect.Effect<Signature.SignedParameters, Refusal> =>
  Effect.mapError(Signature.decode(query), refuse)

/** Checks time and signature against the app that the parameters name. */
export const verify = (
  signed: Signature.SignedParameters,
  app: App | undefined,
  now: number
): Effect.Effect<void, Refusal> =>
  app === undefined
    ? Effect.fail({ code: 100000001, reason: "there is no app with this AppId" })
    : Effect.mapError(
        Signature.verify({ appId: app.appId, serverSecret: app.serverSecret, parameters: signed, now }),
        refuse
      )
