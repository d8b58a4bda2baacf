/**
 * The site, built and looked at in a browser. Below a path: what is found there is found at the root of a host too.
 */
import { Effect, FileSystem, Schema } from "effect"
import * as Command from "./Command.ts"
import * as Programs from "./Programs.ts"
import { publicNames } from "./publicNames.ts"
import * as Step from "./Step.ts"

const site = `${Command.root}/packages/site`

const Names = Schema.fromJsonString(Schema.Array(Schema.Struct({ path: Schema.String, anchor: Schema.String })))

/** Public names that the site does not describe. */
const missingNames = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const described = yield* Effect.flatMap(fs.readFileString(`${site}/.content/names.json`), Schema.decodeEffect(Names))
  const folderOf = (path: string) => path.split("/")[1]
  const known = new Set(described.map(({ anchor, path }) => `${folderOf(path)} ${anchor}`))
  return (yield* publicNames)
    .filter(
      ({ docstring, name, place }) => !docstring.includes("@internal") && !known.has(`${folderOf(place)} ${name}`)
    )
    .map(({ name, place }) => `${place} ${name}: not on the site`)
})

const walk = Effect.gen(function* () {
  const { chromium } = Programs
  const env = { SITE_BASE: "/effect-zim/", CHROMIUM: chromium }
  const built = yield* Command.succeed(process.execPath, ["packages/site/src/main.ts"], { env })
  const missing = yield* missingNames
  if (missing.length > 0) return yield* new Step.CheckFailed({ output: missing.join("\n") })
  const pages = /\d+ pages, \d+ links/.exec(built)?.[0]
  if (chromium === undefined) return `${pages}; NOT TESTED: the site in a browser. ${Programs.withoutChromium}`
  const args = ["run", "--root", "packages/site", "--testTimeout", "900000", "test/long"]
  const walked = yield* Command.succeed("vitest", args, { env, timeout: "20 minutes" })
  return `${pages}, ${/\d+ names found/.exec(walked)?.[0]}`
}).pipe(Effect.catchTags({ PlatformError: Step.unusable, SchemaError: Step.unusable }))

export const siteSteps: ReadonlyArray<Step.Step> = [
  {
    ...Step.make("site", "the site is built, and a browser finds nothing wrong with it", walk),
    isForCi: true
  }
]
