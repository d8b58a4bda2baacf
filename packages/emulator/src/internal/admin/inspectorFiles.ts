import { readFileSync } from "node:fs"

/**
 * A file of the inspector. They are published as they are: they lie in `src`, beside `dist`. The bundle of `zim` has this
 * module replaced by their text.
 */
export const read = (name: string): string =>
  readFileSync(new URL(`../../../src/inspector/${name}`, import.meta.url), "utf8")
