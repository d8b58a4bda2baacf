/**
 * The circuit to one host: whether calls go through. Pure but for its own state: time comes in as milliseconds of a
 * monotonic clock.
 */

/** What a call says about the health of its host: `Unclear` counts neither way. */
export type Health = "Well" | "Ill" | "Unclear"

export type State = "Closed" | "Open" | "HalfOpen"

export interface Limits {
  /** The part of the latest calls that opens the circuit when it is ill. */
  readonly threshold: number
  /** How many calls are the latest, and how few are enough. */
  readonly size: number
  readonly minimumCalls: number
}

/** While a call is under way that was let through to see, nobody knows how long it takes. */
const probing = 1000

/** Whoever was let through so long ago may be gone without a word: another one goes. */
const goneAfter = 60_000

/** What calls said so long ago, they say no more. */
const memory = 60 * 60_000

export class Circuit {
  readonly #limits: Limits
  state: State = "Closed"
  /** A new one for each state: what a call says that was let through before is out of date. */
  generation = 0
  /** How often it has opened in a row, and when it has been closed for long enough to count anew. */
  openings = 0
  #steadyAt = -Infinity
  /** The latest calls while it is closed, oldest first: whether they were ill. */
  #latest: Array<boolean> = []
  #ill = 0
  /** Half open: the call that is let through to see is under way. */
  #isProbing = false
  #openFor = 0
  #openUntil = -Infinity
  /** When a call was let through last, or came back. */
  #seenAt = -Infinity

  constructor(limits: Limits) {
    this.#limits = limits
  }

  #enter(state: State): void {
    this.state = state
    this.generation++
    this.#latest = []
    this.#ill = 0
    this.#isProbing = false
  }

  /** Lets a call through, and answers 0; or with how many milliseconds later it is worth asking again. */
  admit(now: number): number {
    if (this.#isProbing && now - this.#seenAt < goneAfter) return probing
    if (now < this.#openUntil) return this.#openUntil - now
    const isForgotten = now - Math.max(this.#seenAt, this.#openUntil) >= memory
    if (isForgotten) this.#enter("Closed")
    if (isForgotten || (this.state === "Closed" && now >= this.#steadyAt)) this.openings = 0
    this.#seenAt = now
    if (this.state !== "Closed") {
      this.#enter("HalfOpen")
      this.#isProbing = true
    }
    return 0
  }

  /** Takes what a call says that was let through in this generation. It may open: see {@link keepOpen}. */
  record(now: number, generation: number, health: Health): void {
    if (this.generation !== generation) return
    this.#seenAt = now
    if (this.state === "HalfOpen") this.#isProbing = false
    if (health === "Unclear") return
    if (this.state === "HalfOpen") {
      if (health === "Ill") return this.#open(now)
      this.#enter("Closed")
      this.#steadyAt = now + this.#openFor
      return
    }
    const { minimumCalls, size, threshold } = this.#limits
    this.#latest.push(health === "Ill")
    if (health === "Ill") this.#ill++
    if (this.#latest.length > size && this.#latest.shift() === true) this.#ill--
    const { length } = this.#latest
    if (this.#ill > 0 && this.#ill / length >= threshold && length >= minimumCalls) this.#open(now)
  }

  #open(now: number): void {
    this.#enter("Open")
    this.openings++
    this.#openUntil = now
  }

  /** How long a circuit that has just opened stays so. */
  keepOpen(millis: number): void {
    this.#openFor = millis
    this.#openUntil += millis
  }
}
