/**
 * The tags of what users can import: a category, a version, and an example of what they call.
 */
import { Effect, FileSystem } from "effect"
import * as Command from "./Command.ts"
import { type PublicName, publicNames } from "./publicNames.ts"
import * as Step from "./Step.ts"

const tag = (docstring: string, name: string): string | undefined =>
  new RegExp(`^[ *]*@${name}\\b[ \\t]*(.*)$`, "m").exec(docstring)?.[1]

/** What is read, rather than called: its type or its docstring says all. A function has an example all the same. */
const shown = new Set(["models", "schemas", "errors", "constants", "metrics"])

const complaints = (categories: ReadonlyArray<string>, { docstring, kind, name, place }: PublicName) => {
  // Exported for another package of ours.
  if (tag(docstring, "internal") !== undefined) return []
  const category = tag(docstring, "category")
  const isCalled = kind === "function" || (kind !== "type" && !shown.has(category ?? ""))
  return [
    ...(category === undefined || !categories.includes(category) ? ["@category, one of CONTRIBUTING.md"] : []),
    ...(tag(docstring, "since") === undefined ? ["@since"] : []),
    ...(isCalled && tag(docstring, "example") === undefined ? ["@example"] : [])
  ].map((missing) => `${place} ${name}: no ${missing}`)
}

const tags = Step.make(
  "tags",
  "every public name has @category and @since, and @example where users call it",
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const contributing = yield* fs.readFileString(`${Command.root}/CONTRIBUTING.md`)
    const section = contributing.split("\n## ").find((text) => text.startsWith("Categories\n")) ?? ""
    const categories = Array.from(section.matchAll(/^\| `([a-z ]+)`/gm), ([, category = ""]) => category)
    const names = yield* publicNames
    const problems = names.flatMap((name) => complaints(categories, name))
    if (problems.length > 0) return yield* new Step.CheckFailed({ output: problems.join("\n") })
    return `${names.length} names in ${categories.length} categories`
  }).pipe(Effect.catchTag("PlatformError", Step.unusable))
)

export const tagsSteps: ReadonlyArray<Step.Step> = [tags]
