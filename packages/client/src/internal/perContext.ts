/** What depends on nothing but the context, worked out once for each: contexts never change, and calls mostly share one. */
import type * as Context from "effect/Context"

export const perContext = <R, A>(make: (context: Context.Context<R>) => A): ((context: Context.Context<R>) => A) => {
  const known = new WeakMap<Context.Context<R>, { readonly made: A }>()
  return (context) => {
    const found = known.get(context)
    if (found !== undefined) return found.made
    const made = make(context)
    known.set(context, { made })
    return made
  }
}
