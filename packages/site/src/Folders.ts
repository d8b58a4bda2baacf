/** Where things are. */
const at = (path: string): string => new URL(`../../../${path}`, import.meta.url).pathname

/** The repository's folder, with a slash at its end. */
export const root = at("")
/** This package. */
export const here = at("packages/site")
/** The Markdown that VitePress makes the site of. */
export const content = at("packages/site/.content")
/** The site. */
export const output = at("packages/site/dist")
