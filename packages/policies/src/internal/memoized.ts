/**
 * What depends on nothing but a value that never changes, kept for the last one: a context, mostly, which a client's calls
 * share unless each has its own, as within spans. Then a table of them would cost more than it saves.
 */
export const memoized = <Key, A>(make: (key: Key) => A): ((key: Key) => A) => {
  let last: { readonly key: Key; readonly made: A } | undefined
  return (key) => {
    if (last?.key !== key) last = { key, made: make(key) }
    return last.made
  }
}
