/** Cuts what is secret out of text that came from outside, before it goes into an error. */
import type { ServerSecret, Signature } from "@effect-zim/signing"
import * as Redacted from "effect/Redacted"
import { escape } from "effect/RegExp"

/** The most characters of an answer that an error shows. */
const snippetLength = 200

// An echo of the whole query string is caught even where its values were altered on the way.
const signedParameter = /(Signature(?:Nonce)?(?:=|%3D|"\s*:\s*"))(?!<redacted>)[^&"'\s<>]*/gi

/** A redactor for one attempt: it knows the attempt's nonce, signature and secret. */
export interface Redactor {
  readonly redact: (text: string) => string
  /** The length of the longest secret. */
  readonly longest: number
}

/** Quick: every answer is looked at, and hardly any holds a secret. */
const mayHold = (text: string, secrets: ReadonlyArray<string>): boolean => {
  const lower = text.toLowerCase()
  return lower.includes("signature") || secrets.some((secret) => lower.includes(secret.toLowerCase()))
}

const redact = (text: string, secrets: ReadonlyArray<string>): string =>
  secrets
    .reduce((rest, secret) => rest.replaceAll(new RegExp(escape(secret), "gi"), "<redacted>"), text)
    .replaceAll(signedParameter, "$1<redacted>")

export const make = (signed: Signature.SignedParameters, serverSecret: ServerSecret.ServerSecret): Redactor => {
  const secrets = [Redacted.value(serverSecret), signed.Signature, signed.SignatureNonce]
  return {
    redact: (text) => (mayHold(text, secrets) ? redact(text, secrets) : text),
    longest: Math.max(...secrets.map((secret) => secret.length))
  }
}

/** How much of a text is looked at: more than is shown, since it gets shorter. */
const examined = 20 * snippetLength

/** The beginning of a text on one line, redacted. */
export const snippet = ({ longest, redact }: Redactor, text: string): string => {
  const redacted = redact(text.slice(0, examined))
  // A secret cut in half is not recognised: where there was a cut, what may be half of one is left out.
  const line = (text.length > examined ? redacted.slice(0, -longest) : redacted).replaceAll(/[\p{Cc}\s]+/gu, " ").trim()
  return line.length > snippetLength ? `${line.slice(0, snippetLength)}…` : line
}
