import { ServerSecret, Signature, SignatureNonce } from "@effect-zim/signing"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import { expectTypeOf, test } from "vitest"

type Parameter = "AppId" | "Timestamp" | "SignatureNonce" | "Signature" | "SignatureVersion"

test("ServerSecret", () => {
  expectTypeOf<ServerSecret.ServerSecret>().toEqualTypeOf<Redacted.Redacted<string>>()
  expectTypeOf(ServerSecret.make).toEqualTypeOf<(secret: string) => Redacted.Redacted<string>>()
  expectTypeOf(ServerSecret.ServerSecret).toExtend<Schema.Codec<ServerSecret.ServerSecret, string>>()
  expectTypeOf<string>().not.toExtend<ServerSecret.ServerSecret>()
})

test("SignatureNonce", () => {
  expectTypeOf(SignatureNonce.next).toEqualTypeOf<Effect.Effect<SignatureNonce.SignatureNonce>>()
  expectTypeOf(SignatureNonce.Source).toEqualTypeOf<Context.Reference<() => SignatureNonce.SignatureNonce>>()
  expectTypeOf(SignatureNonce.seeded).parameter(0).toEqualTypeOf<number | string>()
  expectTypeOf(SignatureNonce.seeded).returns.toEqualTypeOf<() => SignatureNonce.SignatureNonce>()
  expectTypeOf(SignatureNonce.layerSeeded).returns.toEqualTypeOf<Layer.Layer<never>>()
  expectTypeOf(SignatureNonce.isSignatureNonce).guards.toEqualTypeOf<SignatureNonce.SignatureNonce>()
  expectTypeOf<SignatureNonce.SignatureNonce>().toExtend<string>()
  expectTypeOf<string>().not.toExtend<SignatureNonce.SignatureNonce>()
})

test("Signature: exact errors and requirements", () => {
  expectTypeOf(Signature.compute).returns.toEqualTypeOf<string>()
  expectTypeOf(Signature.signWith).returns.toEqualTypeOf<Signature.SignedParameters>()
  expectTypeOf(Signature.sign).returns.toEqualTypeOf<Effect.Effect<Signature.SignedParameters>>()
  expectTypeOf(Signature.decode).returns.toEqualTypeOf<
    Effect.Effect<Signature.SignedParameters, Signature.SignatureRejected>
  >()
  expectTypeOf(Signature.verify).returns.toEqualTypeOf<Effect.Effect<void, Signature.SignatureRejected>>()
  expectTypeOf<{ readonly [name: string]: string | Array<string> }>().toExtend<Parameters<typeof Signature.decode>[0]>()
})

test("Signature: reasons", () => {
  expectTypeOf<Signature.SignatureRejected["reason"]>().toEqualTypeOf<typeof Signature.Reason.Type>()
  expectTypeOf<typeof Signature.Reason.Type>().toEqualTypeOf<
    | { readonly _tag: "Missing"; readonly parameter: Parameter }
    | { readonly _tag: "Malformed"; readonly parameter: Parameter; readonly problem: string }
    | { readonly _tag: "UnsupportedVersion" }
    | { readonly _tag: "Expired"; readonly direction: "Past" | "Future"; readonly seconds: number }
    | { readonly _tag: "Wrong" }
  >()
  const narrowed = Signature.decode({}).pipe(
    Effect.catchReason("SignatureRejected", "Expired", (reason) => {
      expectTypeOf(reason.direction).toEqualTypeOf<"Past" | "Future">()
      return Effect.void
    }),
    Effect.catchTag("SignatureRejected", (error) => Effect.succeed(error.reason._tag))
  )
  expectTypeOf<Effect.Error<typeof narrowed>>().toEqualTypeOf<never>()
})
