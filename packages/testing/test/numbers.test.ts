/** Numbers that are none: refused by name. */
import { Journal } from "@effect-zim/emulator"
import { ServerSecret, Signature } from "@effect-zim/signing"
import { Arbitraries, FaultSchedule, ZimTest } from "@effect-zim/testing"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"

const orThrow = (effect: Effect.Effect<unknown>) => {
  const exit = Effect.runSyncExit(effect)
  if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
}
const secret = ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38")
const line = { userId: "u", call: 1, trouble: "660300005" } as const

const takers: Record<string, readonly [name: string, bad: ReadonlyArray<number>, take: (value: number) => unknown]> = {
  "FaultSchedule call": ["call", [NaN, 0, -1, 0.5, Infinity], (call) => FaultSchedule.make([{ ...line, call }])],
  "FaultSchedule times": ["times", [NaN, 0, -1, 0.5], (times) => FaultSchedule.make([{ ...line, times }])],
  "Arbitraries users": ["users", [NaN, 0, -1, 0.5, Infinity], (users) => Arbitraries.scenario({ users })],
  "Arbitraries conversations": [
    "conversations",
    [NaN, -1, 0.5, Infinity],
    (conversations) => Arbitraries.scenario({ conversations })
  ],
  "Arbitraries troubles": ["troubles", [NaN, -1, 0.5, Infinity], (troubles) => Arbitraries.scenario({ troubles })],
  "Arbitraries times": ["times", [NaN, 0, -1, 0.5, Infinity], (times) => Arbitraries.scenario({ times })],
  "Journal peak": ["peak", [NaN, -1], (calls) => Journal.violations([], { peak: { calls, window: 1 } })],
  "Journal nonceReuses": ["nonceReuses", [NaN, -1], (nonceReuses) => Journal.violations([], { nonceReuses })],
  "Journal attempts": ["attempts", [NaN, -1], (attempts) => Journal.violations([], { attempts })],
  "Signature clockOffset": [
    "clockOffset",
    [Infinity, -Infinity],
    (clockOffset) => orThrow(Signature.sign({ appId: 1, serverSecret: secret, clockOffset }))
  ]
}

describe("a number that is none", () => {
  it.each(Object.entries(takers))("%s", (_, [name, bad, take]) => {
    for (const value of bad) assert.throws(() => take(value), new RegExp(name), `${value}`)
  })

  it.effect.each([NaN, 0, -1, Infinity, -Infinity])("is no limit of virtual time: %d", (limit) =>
    Effect.gen(function* () {
      const endless = Effect.forever(Effect.sleep("1 hour"))
      const exit = yield* Effect.exit(ZimTest.inVirtualTime(endless, { limit }))
      assert.match(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), /the limit of virtual time is /)
    })
  )
})
