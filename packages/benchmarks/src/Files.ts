/** Where things are; the same from `src` and from `dist`. */
const at = (path: string): string => new URL(`../../../${path}`, import.meta.url).pathname

export const root = at("")
export const manifest = at("packages/benchmarks/package.json")
/** One file for each suite, named as the suite. */
export const results = at("packages/benchmarks/results")
export const page = at("docs/benchmarks.md")
export const chart = at("docs/images/benchmarks.svg")
/** Runs one suite. */
export const runner = new URL(`./runSuite${import.meta.url.slice(-3)}`, import.meta.url).pathname

export const result = (suite: string): string => `${results}/${suite}.json`
