import { Signature } from "@effect-zim/signing"
import * as Effect from "effect/Effect"
import type { App } from "../../World.ts"
import type { Refusal } from "../operations/operationHandler.ts"

/** The common parameters as they were sent; a repeated one is an array. */
export type Query = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const names = ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature"] as const

const common: ReadonlySet<string> = new Set(names)

/** Whether a parameter is one of the common ones. */
export const isCommon = (name: string): boolean => common.has(name)

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

/** Whether the signature would be right under these changes. */
const wouldVerify = (signed: Signature.SignedParameters, app: App, signature: string): boolean =>
  Signature.compute({
    appId: signed.AppId,
    nonce: signed.SignatureNonce,
    serverSecret: app.serverSecret,
    timestamp: signed.Timestamp
  }) === signature

/** What is probably wrong with a wrong signature. Names no secret. */
const diagnose = (signed: Signature.SignedParameters, app: App, apps: Iterable<App>): string => {
  if (wouldVerify(signed, app, signed.Signature.toLowerCase()))
    return "the signature is right, but not in small letters"
  for (const other of apps) {
    if (wouldVerify(signed, other, signed.Signature))
      return `secret does not match: it is the one of AppId ${other.appId}`
  }
  return "secret does not match, or AppId, SignatureNonce and Timestamp were not sent as they were signed"
}

/** Checks time and signature against the app that the parameters name. */
export const verify = (
  signed: Signature.SignedParameters,
  app: App,
  apps: ReadonlyMap<number, App>,
  now: number
): Effect.Effect<void, Refusal> =>
  Effect.mapError(
    Signature.verify({ appId: app.appId, serverSecret: app.serverSecret, parameters: signed, now }),
    (error) =>
      error.reason._tag === "Wrong" ? { code: 100000005, reason: diagnose(signed, app, apps.values()) } : refuse(error)
  )
