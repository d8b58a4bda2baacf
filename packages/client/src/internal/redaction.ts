/** Cuts what is secret out of text that came from outside, before it goes into an error. */
import type { ServerSecret, Signature } from "@effect-zim/signing"
import * as Redacted from "effect/Redacted"
import { escape } from "effect/RegExp"

/** The most characters of an answer that an error shows. */
const snippetLength = 200

// An echo of the whole query string is caught even where its values were altered on the way.
const signedParameter = /(Signature(?:Nonce)?(?:=|%3D|"\s*:\s*"))(?!<redacted>)[^&"'\s<>]*/gi

export interface Redactor {
  (text: string): string
}

/** A redactor for one attempt: it knows the attempt's nonce, signature and secret. */
export const make =
  (signed: Signature.SignedParameters, serverSecret: ServerSecret.ServerSecret): Redactor =>
  (text) => {
    let redacted = text
    for (const secret of [Redacted.value(serverSecret), signed.Signature, signed.SignatureNonce]) {
      redacted = redacted.replaceAll(new RegExp(escape(secret), "gi"), "<redacted>")
    }
    return redacted.replaceAll(signedParameter, "$1<redacted>")
  }

/** The beginning of a text on one line, redacted. Redacts more than it shows: a secret at the cut is not cut in half. */
export const snippet = (redact: Redactor, text: string): string => {
  const line = redact(text.slice(0, 20 * snippetLength))
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
  return line.length > snippetLength ? `${line.slice(0, snippetLength)}…` : line
}
