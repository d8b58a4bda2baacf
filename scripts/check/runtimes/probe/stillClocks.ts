/**
 * On Cloudflare, clocks stand still from one event that comes in to the next, so that code cannot measure how long it
 * computes. workerd alone does not do that; here every runtime does, for as long as an effect runs.
 */
import * as Effect from "effect/Effect"

/** Its value is that of the last event: a timer that is over, an answer that has come. */
export const within = <A, E, R>(
  effect: (fetch: typeof globalThis.fetch) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const { fetch, setTimeout } = globalThis
    const now = Date.now
    const elapsed = performance.now.bind(performance)
    let wall = now()
    let monotonic = elapsed()
    const happen = (): void => {
      wall = now()
      monotonic = elapsed()
    }
    Object.defineProperty(Date, "now", { configurable: true, writable: true, value: () => wall })
    Object.defineProperty(performance, "now", { configurable: true, writable: true, value: () => monotonic })
    const after = (look: (...args: ReadonlyArray<unknown>) => void, millis?: number, ...args: ReadonlyArray<unknown>) =>
      setTimeout(() => {
        happen()
        look(...args)
      }, millis)
    Object.defineProperty(globalThis, "setTimeout", { configurable: true, writable: true, value: after })
    const answered: typeof fetch = async (...request) => {
      const response = await fetch(...request)
      happen()
      return response
    }
    return Effect.ensuring(
      effect(answered),
      Effect.sync(() => {
        Object.defineProperty(Date, "now", { configurable: true, writable: true, value: now })
        Object.defineProperty(performance, "now", { configurable: true, writable: true, value: elapsed })
        Object.defineProperty(globalThis, "setTimeout", { configurable: true, writable: true, value: setTimeout })
      })
    )
  })
