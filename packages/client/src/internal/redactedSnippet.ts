/** Cuts what is secret out of text that came from outside, before it goes into an error. */
import { Excerpt } from "@effect-zim/protocol"
import type { ServerSecret, Signature } from "@effect-zim/signing"
import * as Redacted from "effect/Redacted"
import { escape } from "effect/RegExp"

/** The most characters of an answer that an error shows. */
const snippetLength = 200

// An echo of the whole query string is caught even where its values were altered on the way.
const signedParameter = /(Signature(?:Nonce)?(?:=|%3D|"\s*:\s*"))(?!<redacted>)[^&"'\s<>]*/gi

// And what a GET asks, behind it in its URL: as little as a body would be is it repeated.
const asked = /(Signature(?:=|%3D)<redacted>)[^"'\s<>]+/gi

/** What an attempt must not show. Looked into only where there is something to show: hardly ever. */
export interface Secrets {
  readonly signed: Signature.SignedParameters
  readonly serverSecret: ServerSecret.ServerSecret
}

const textsOf = ({ serverSecret, signed }: Secrets): ReadonlyArray<string> => [
  Redacted.value(serverSecret),
  signed.Signature,
  signed.SignatureNonce
]

/** Quick: hardly any text holds a secret. */
const mayHold = (text: string, secrets: ReadonlyArray<string>): boolean => {
  const lower = text.toLowerCase()
  return lower.includes("signature") || secrets.some((secret) => lower.includes(secret.toLowerCase()))
}

const redact = (text: string, secrets: ReadonlyArray<string>): string =>
  secrets
    .reduce((rest, secret) => rest.replaceAll(new RegExp(escape(secret), "gi"), "<redacted>"), text)
    .replaceAll(signedParameter, "$1<redacted>")
    .replaceAll(asked, "$1")

/** How much of a text is looked at: more than is shown, since it gets shorter. */
const examined = 20 * snippetLength

/** The beginning of a text on one line, redacted. */
export const make = (of: Secrets, text: string): string => {
  const secrets = textsOf(of)
  const start = Excerpt.of(text, examined)
  const redacted = mayHold(start, secrets) ? redact(start, secrets) : start
  // A secret cut in half is not recognised: where there was a cut, what may be half of one is left out.
  const longest = () => Math.max(...secrets.map((secret) => secret.length))
  const line = (text.length > examined ? redacted.slice(0, -longest()) : redacted)
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
  return line.length > snippetLength ? `${Excerpt.of(line, snippetLength)}…` : line
}
