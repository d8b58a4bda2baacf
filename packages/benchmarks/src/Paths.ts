/** Where things are; the same from `src` and from `dist`. */
const at = (path: string): string => new URL(`../../../${path}`, import.meta.url).pathname

export const root = at("")
/** This package: from here its dependencies are found. */
export const here = at("packages/benchmarks")
export const manifest = at("packages/benchmarks/package.json")
/** One file for each suite, named as the suite. */
export const results = at("packages/benchmarks/results")
export const page = at("docs/benchmarks.md")
export const chart = at("docs/images/benchmarks.svg")
/** Where a program that is bundled would stand. */
export const program = at("packages/benchmarks/program.js")
/** The `zim` command as it is published. */
export const commandLinePackage = at("packages/cli")
export const commandLine = `${commandLinePackage}/dist/bin.js`
/** A module of this package, to be run in a process of its own. */
export const beside = (module: string): string =>
  new URL(`./${module}${import.meta.url.slice(-3)}`, import.meta.url).pathname

export const result = (suite: string): string => `${results}/${suite}.json`
