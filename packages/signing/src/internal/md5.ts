import { md5 } from "effect/crypto/Digest"
import * as Hex from "effect/encoding/Hex"

/** Lowercase hex MD5 of the UTF-8 bytes of a text. */
export type Md5 = (text: string) => string

const encoder = new TextEncoder()

/** Effect's own MD5: runs wherever JavaScript runs, several times slower than the native one. */
export const portable: Md5 = (text) => {
  if (md5.implementation === undefined) throw new Error("effect/crypto/Digest has no MD5")
  return Hex.encode(md5.implementation(encoder.encode(text)))
}

/**
 * The runtime's own MD5, if it has one. Asked for at run time and not imported, so that the package loads in edge
 * runtimes and bundles. Under FIPS the module is there but refuses MD5: hence the trial.
 */
export const native = (): Md5 | undefined => {
  try {
    const crypto = globalThis.process.getBuiltinModule("node:crypto")
    const hash: Md5 = (text) => crypto.hash("md5", text, "hex")
    return hash("") === "d41d8cd98f00b204e9800998ecf8427e" ? hash : undefined
  } catch {
    return undefined
  }
}

let chosen: Md5 | undefined

/** Lowercase hex MD5, by the fastest implementation the runtime has. */
export const hash: Md5 = (text) => (chosen ??= native() ?? portable)(text)
