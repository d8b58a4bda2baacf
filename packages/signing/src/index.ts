/**
 * Signature 2.0 of the vendor's server APIs: sign, verify, nonces and the secret.
 */
export * as ServerSecret from "./ServerSecret.ts"
export * as Signature from "./Signature.ts"
export * as SignatureNonce from "./SignatureNonce.ts"
