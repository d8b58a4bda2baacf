/** The simulated network: the ways to the service and back, call by call, and one process's connection over such a way. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { exponential, type Chance } from "./internal/random.ts"
import type { Meter } from "./ServiceModels.ts"

/** What one call meets, in milliseconds; `Infinity` where a request or an answer never arrives. */
export interface Transit {
  readonly out: number
  readonly back: number
}

export interface NetworkPath {
  readonly name: string
  readonly about: string
  readonly transit: (random: Chance) => Transit
}

const bothWays = (name: string, about: string, oneWay: (random: Chance) => number): NetworkPath => ({
  name,
  about,
  transit: (random) => ({ out: oneWay(random), back: oneWay(random) })
})

export const loopback = bothWays("loopback", "0.1 ms each way", (random) => 0.1 + 0.02 * random())

export const lan = bothWays("LAN", "0.5 to 1.5 ms each way", (random) => 0.5 + random())

export const wan = bothWays(
  "WAN, 100 ms",
  "46 ms each way and an exponential 4 ms on top",
  (random) => 46 + exponential(random, 4)
)

/** What TCP waits before it sends a packet again; the wait doubles each time. */
const retransmission = 300

const retransmissions = (random: Chance): number => {
  if (random() >= 0.03) return 0
  let lost = 1
  while (lost < 5 && random() < 0.1) lost++
  return retransmission * (2 ** lost - 1)
}

export const lossy = bothWays(
  "lossy, 250 ms",
  "115 ms each way and an exponential 10 ms on top; 3 % of the packets are sent again after 300 ms, 900 ms, 2.1 s " +
    "and so on, up to 9.3 s; 0.1 % of the requests and of the answers are lost for good",
  (random) => (random() < 0.001 ? Infinity : 115 + exponential(random, 10) + retransmissions(random))
)

export const all: ReadonlyArray<NetworkPath> = [loopback, lan, wan, lossy]

export type Answer = "Accepted" | "Rejected"

/** A call as the service saw it: when it arrived, in milliseconds, and what became of it. */
export interface Arrival {
  readonly at: number
  readonly answer: Answer
}

export interface Wire {
  /**
   * Sends a request and waits for the answer, for ever where one of them is lost. Who stops waiting does not stop the
   * request: it arrives and is counted.
   */
  readonly send: Effect.Effect<Answer>
}

/** What the service takes to answer a call that it deals with, in milliseconds. */
const processing = 1

const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

export const connect = (options: {
  readonly path: NetworkPath
  readonly random: Chance
  readonly meter: Meter
  readonly arrivals: Array<Arrival>
  readonly scope: Scope.Scope
}): Wire => ({
  send: Effect.suspend(() => {
    const { back, out } = options.path.transit(options.random)
    if (out === Infinity) return Effect.never
    const served = Effect.clockWith((clock) =>
      Effect.suspend(() => {
        const at = millisOf(clock)
        const wait = options.meter.admit(at)
        const answer: Answer = wait === undefined ? "Rejected" : "Accepted"
        options.arrivals.push({ at, answer })
        return back === Infinity
          ? Effect.never
          : Effect.as(Effect.sleep(Duration.millis((wait ?? 0) + processing + back)), answer)
      })
    )
    return Effect.flatMap(
      Effect.forkIn(Effect.delay(served, Duration.millis(out)), options.scope, { startImmediately: true }),
      Fiber.join
    )
  })
})
