/** Where things are: the folders of the repository, and the site at its host. */
import * as Config from "effect/Config"
import * as Schema from "effect/Schema"

const at = (path: string): string => new URL(`../../../${path}`, import.meta.url).pathname

/** The repository's folder, with a slash at its end. */
export const root = at("")
/** This package. */
export const here = at("packages/site")
/** The Markdown that VitePress makes the site of. */
export const content = at("packages/site/.content")
/** The site. */
export const output = at("packages/site/dist")

const HostPath = Schema.String.check(
  Schema.isPattern(/^\/(?:[\w.-]+\/)*$/, { expected: "a path with a slash at both ends, /effect-zim/ for example" })
)

/** The path that the site is below at its host: `SITE_BASE`, or the root. */
export const base = Config.schema(HostPath, "SITE_BASE").pipe(Config.withDefault("/"))
