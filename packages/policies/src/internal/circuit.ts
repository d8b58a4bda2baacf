/**
 * The circuit to one host: whether calls go through. Pure but for its own state: time comes in as milliseconds of a
 * monotonic clock.
 */

/** What a call says about the health of its host: `Unclear` counts neither way. */
export type Health = "Well" | "Ill" | "Unclear"

export type State = "Closed" | "Open" | "HalfOpen"

export interface Options {
  /** The part of the latest calls that opens the circuit when it is ill. */
  readonly threshold: number
  /** How many calls are the latest, and how few are enough. */
  readonly size: number
  readonly minimumCalls: number
}

export interface Circuit {
  readonly options: Options
  state: State
  /** A new one for each state: what a call says that was let through before is out of date. */
  generation: number
  /** The latest calls while it is closed, oldest first: whether they were ill. */
  latest: Array<boolean>
  ill: number
  /** Half open: the call that is let through to see is under way. */
  isProbing: boolean
  /** How often it has opened in a row, and when it has been closed for long enough to count anew. */
  openings: number
  steadyAt: number
  openFor: number
  openUntil: number
  /** When a call was let through last, or came back. */
  seenAt: number
}

export const make = (options: Options): Circuit => ({
  options,
  state: "Closed",
  generation: 0,
  latest: [],
  ill: 0,
  isProbing: false,
  openings: 0,
  steadyAt: -Infinity,
  openFor: 0,
  openUntil: -Infinity,
  seenAt: -Infinity
})

/** While a call is under way that was let through to see, nobody knows how long it takes. */
const probing = 1000

/** Whoever was let through so long ago may be gone without a word: another one goes. */
const goneAfter = 60_000

/** What calls said so long ago, they say no more. */
const memory = 60 * 60_000

const enter = (circuit: Circuit, state: State): void => {
  circuit.state = state
  circuit.generation++
  circuit.latest = []
  circuit.ill = 0
  circuit.isProbing = false
}

/** Lets a call through, and answers 0; or with how many milliseconds later it is worth asking again. */
export const admit = (circuit: Circuit, now: number): number => {
  if (circuit.isProbing && now - circuit.seenAt < goneAfter) return probing
  if (now < circuit.openUntil) return circuit.openUntil - now
  const isForgotten = now - Math.max(circuit.seenAt, circuit.openUntil) >= memory
  if (isForgotten) enter(circuit, "Closed")
  if (isForgotten || (circuit.state === "Closed" && now >= circuit.steadyAt)) circuit.openings = 0
  circuit.seenAt = now
  if (circuit.state !== "Closed") {
    enter(circuit, "HalfOpen")
    circuit.isProbing = true
  }
  return 0
}

/** Takes what a call says that was let through in this generation. True: the circuit has opened, see {@link keepOpen}. */
export const record = (circuit: Circuit, now: number, generation: number, health: Health): boolean => {
  if (circuit.generation !== generation) return false
  circuit.seenAt = now
  if (circuit.state === "HalfOpen") {
    circuit.isProbing = false
    if (health === "Unclear") return false
    if (health === "Ill") return open(circuit, now)
    enter(circuit, "Closed")
    circuit.steadyAt = now + circuit.openFor
    return false
  }
  if (health === "Unclear") return false
  const { latest, options } = circuit
  latest.push(health === "Ill")
  if (health === "Ill") circuit.ill++
  if (latest.length > options.size && latest.shift() === true) circuit.ill--
  const isFailing = circuit.ill > 0 && circuit.ill / latest.length >= options.threshold
  return isFailing && latest.length >= options.minimumCalls && open(circuit, now)
}

const open = (circuit: Circuit, now: number): true => {
  enter(circuit, "Open")
  circuit.openings++
  circuit.openUntil = now
  return true
}

/** How long a circuit that has just opened stays so. */
export const keepOpen = (circuit: Circuit, millis: number): void => {
  circuit.openFor = millis
  circuit.openUntil += millis
}
