/** What the demo plays: a generated world, the people whose lists are read, and what goes wrong on the way. */
import { Emulator, Fault, World } from "@effect-zim/emulator"
import { ServerSecret } from "@effect-zim/signing"

/** The app. Its secret is made up for this run of the emulator, and opens nothing else. */
export const app = { appId: 12345, serverSecret: ServerSecret.make("demo-only-not-a-real-secret") }

export const world = World.generate({ seed: "demo", users: 96, ...app })

const strangers = World.unregistered(world, 8)

/** Every twelfth one is not registered, or so. */
export const userIds: ReadonlyArray<string> = world.users.flatMap(({ userId }, i) => {
  const stranger = i % 12 === 6 ? strangers[Math.floor(i / 12)] : undefined
  return stranger === undefined ? [userId] : [userId, stranger]
})

/** The faults, and what the summary calls them. */
const mishaps: ReadonlyArray<readonly [fault: Fault.Fault, text: string]> = [
  [Fault.returnCode(660300005).pipe(Fault.when(Fault.every(40))), "rejected by the rate limit (660300005)"],
  [Fault.connectionReset.pipe(Fault.when(Fault.every(29))), "connection reset"],
  [Fault.httpStatus(502).pipe(Fault.when(Fault.every(37))), "a proxy's error page (HTTP 502)"],
  [Fault.returnCode(1).pipe(Fault.when(Fault.every(43))), "server busy (1)"],
  [Fault.answerLost.pipe(Fault.when(Fault.nth(50))), "answer lost on the way"]
]

export const mishapTexts: ReadonlyMap<string, string> = new Map(mishaps.map(([fault, text]) => [fault.name, text]))

/** The service: strict, 20 calls in any second, some milliseconds away, and with a bad day. */
export const emulator = Emulator.layer({
  world,
  seed: "demo",
  faults: [Fault.latencyBetween("5 millis", "40 millis"), ...mishaps.map(([fault]) => fault)]
})
