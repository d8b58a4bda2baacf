/** The quota of a command: what its flag says, or else the settings. */
import { Quota, ZimClient } from "@effect-zim/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { defaultCallsPerSecond } from "./commonFlags.ts"

type CallsPerSecond = Option.Option<number>

/** What the quota is made of. */
export const options = (callsPerSecond: CallsPerSecond, settings: Quota.Options = {}): Quota.Options =>
  Option.match(callsPerSecond, { onNone: () => settings, onSome: (limit) => ({ limit }) })

const fromSettings = (callsPerSecond: CallsPerSecond) =>
  Effect.map(ZimClient.readSettings(), ({ quota }) => options(callsPerSecond, quota))

export const layer = (callsPerSecond: CallsPerSecond) =>
  Layer.unwrap(Effect.map(fromSettings(callsPerSecond), Quota.layer))

/** How many calls a second it allows. */
export const perSecond = ({ limit = defaultCallsPerSecond, window = "1 second" }: Quota.Options = {}): number =>
  Number((limit / Duration.toSeconds(window)).toPrecision(3))

/** The same of a command. */
export const callsPerSecond = (flag: CallsPerSecond) => Effect.map(fromSettings(flag), perSecond)
