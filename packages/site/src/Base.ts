/**
 * The path that the site is below at its host: `SITE_BASE`, or the root.
 */
import * as Config from "effect/Config"
import * as Schema from "effect/Schema"

const Path = Schema.String.check(
  Schema.isPattern(/^\/(?:[\w.-]+\/)*$/, { expected: "a path with a slash at both ends, /effect-zim/ for example" })
)

export const base = Config.schema(Path, "SITE_BASE").pipe(Config.withDefault("/"))
