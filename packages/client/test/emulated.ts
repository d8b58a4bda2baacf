/** The emulator in this process, on the test's clock, with a record of every URL that was sent to it. */
import type { ZimClient } from "@effect-zim/client"
import { Conversation } from "@effect-zim/protocol"
import { Emulator, EmulatorClient, World } from "@effect-zim/emulator"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as FakeService from "./fakeService.ts"

export interface Sent {
  readonly url: URL
  /** In milliseconds, by the test's clock. */
  readonly time: number
}

export interface Emulated {
  readonly sent: ReadonlyArray<Sent>
  readonly layer: Layer.Layer<ZimClient.ZimClient | Emulator.Emulator>
}

/** An emulator and a client of it. */
export const make = (options: Emulator.Options): Emulated => {
  const sent: Array<Sent> = []
  const recording = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (http) =>
      HttpClient.tapRequest(http, (request) =>
        Effect.map(Clock.currentTimeMillis, (time) => void sent.push({ url: new URL(request.url), time }))
      )
    )
  ).pipe(Layer.provide(EmulatorClient.layer))
  return {
    sent,
    layer: Layer.provideMerge(Layer.provide(FakeService.client(), recording), Emulator.layer(options))
  }
}

/** A world with one user, `user-42`. */
export const worldOf = (conversations: ReadonlyArray<Conversation.Wire>): World.World =>
  World.make({ apps: [FakeService.app], users: [{ userId: "user-42", conversations }] })

/** Every request has a nonce of its own, and the second in which it was sent for a timestamp. */
export const assertFreshlySigned = (sent: ReadonlyArray<Sent>): void => {
  const nonces = sent.map(({ url }) => url.searchParams.get("SignatureNonce"))
  for (const nonce of nonces) assert.match(nonce ?? "", /^[0-9a-f]{16}$/)
  assert.strictEqual(new Set(nonces).size, nonces.length, "a nonce was used twice")
  for (const { time, url } of sent) {
    assert.strictEqual(Number(url.searchParams.get("Timestamp")), Math.floor(time / 1000), "a stale timestamp")
  }
}

/**
 * The latest 1000 conversations of a list, each exactly once. Which of those that changed in the same millisecond are the
 * latest is the service's to say, so only times decide.
 */
export const assertLatest = (
  read: ReadonlyArray<Conversation.Conversation>,
  list: ReadonlyArray<Conversation.Wire>
): void => {
  const all = new Map(list.map((wire) => [Conversation.key(new Conversation.Conversation(wire)), wire]))
  const keys = new Set(read.map(Conversation.key))
  assert.strictEqual(keys.size, read.length, "a conversation came twice")
  assert.strictEqual(read.length, Math.min(all.size, 1000))
  let oldest = Infinity
  for (const conversation of read) {
    const wire = all.get(Conversation.key(conversation))
    assert.deepStrictEqual<unknown>(
      [conversation.id, conversation.typeCode, conversation.updatedAtMillis],
      [wire?.ConvId, wire?.ConvType ?? 0, wire?.UpdateTime]
    )
    oldest = Math.min(oldest, conversation.updatedAtMillis)
  }
  for (const [key, wire] of all) assert.isTrue(keys.has(key) || wire.UpdateTime <= oldest, `${key} is missing`)
}

export const assertAscending = (read: ReadonlyArray<Conversation.Conversation>): void => {
  const times = read.map((conversation) => conversation.updatedAtMillis)
  assert.deepStrictEqual(
    times,
    times.toSorted((a, b) => a - b)
  )
}
