/** The way to the service and back, call by call. */
import { exponential, type Chance } from "./internal/random.ts"

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
