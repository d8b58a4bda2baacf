import * as Effect from "effect/Effect"

/**
 * Something that can be looked at and changed while the emulator runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting<A> {
  readonly get: Effect.Effect<A>
  readonly set: (value: A) => Effect.Effect<void>
  readonly update: (f: (value: A) => A) => Effect.Effect<void>
}

/** A value that can be changed; `onChange` is told each, the first one too. */
export const make = <A>(initial: A, onChange: (value: A) => void): Setting<A> => {
  let current = initial
  onChange(initial)
  const assign = (value: A): void => {
    current = value
    onChange(value)
  }
  return {
    get: Effect.sync(() => current),
    set: (value) => Effect.sync(() => assign(value)),
    update: (f) => Effect.sync(() => assign(f(current)))
  }
}
