/** Who takes part in a measurement: one way to do a piece of work, as its user would write it. */
import * as Effect from "effect/Effect"

/** What a contestant is compared as. */
export type Role =
  /** The least that the work can cost: what the others are measured against. */
  | "limit"
  /** What somebody would use instead. */
  | "peer"
  /** These packages. */
  | "ours"

export interface Contestant<out R = never> {
  readonly name: string
  readonly role: Role
  /**
   * Does the work once; the answer in a form that can be compared. All contestants of a measurement must answer the same,
   * so whatever is made of it for the comparison is not measured.
   */
  readonly answer: Effect.Effect<unknown, never, R>
  /** How many pieces one time is. Default: 1. Costs are for each piece. */
  readonly pieces?: number | undefined
  /** Does the same work so many times. This is what is measured. */
  readonly work: (times: number) => Effect.Effect<void, never, R>
}

interface Options<A> {
  readonly name: string
  readonly role: Role
  /** Brings an answer into the form that is compared. Default: as it is. */
  readonly comparable?: ((answer: A) => unknown) | undefined
}

/** Keeps what a loop computed, so that the engine cannot leave the computation out. */
let kept: unknown

export const lastKept = (): unknown => kept

/** Work that is a plain function. */
export const sync = <A>({ comparable, name, role }: Options<A>, work: () => A): Contestant => ({
  name,
  role,
  answer: Effect.sync(() => (comparable === undefined ? work() : comparable(work()))),
  work: (times) =>
    Effect.sync(() => {
      for (let index = 0; index < times; index++) kept = work()
    })
})

interface ConcurrentOptions<A> extends Options<A> {
  /** How many pieces of work are under way at a time. Default: 1. */
  readonly concurrency?: number | undefined
}

/** Work that is an effect. It must not fail: an error ends the suite. */
export const effect = <A, E, R>(
  { comparable, concurrency, name, role }: ConcurrentOptions<A>,
  work: Effect.Effect<A, E, R>
): Contestant<R> => ({
  name,
  role,
  answer: Effect.orDie(Effect.map(work, (answer) => (comparable === undefined ? answer : comparable(answer)))),
  work: (times) => {
    let left = times
    const lane = Effect.whileLoop({ while: () => left-- > 0, body: () => work, step: (answer) => (kept = answer) })
    return Effect.orDie(
      Effect.all(
        Array.from({ length: concurrency ?? 1 }, () => lane),
        { concurrency: "unbounded", discard: true }
      )
    )
  }
})

/** Work that is a promise. */
export const promise = <A>(
  { comparable, concurrency, name, role }: ConcurrentOptions<A>,
  work: () => Promise<A>
): Contestant => ({
  name,
  role,
  answer: Effect.map(Effect.promise(work), (answer) => (comparable === undefined ? answer : comparable(answer))),
  work: (times) => {
    let left = times
    const lane = async (): Promise<void> => {
      // One after the other: that is what a lane is.
      // oxlint-disable-next-line no-await-in-loop
      while (left-- > 0) kept = await work()
    }
    return Effect.asVoid(Effect.promise(() => Promise.all(Array.from({ length: concurrency ?? 1 }, lane))))
  }
})
