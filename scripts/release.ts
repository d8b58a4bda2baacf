/**
 * `npm run release`: checks what is to be published, and publishes it; `-- --loopback PORT`, to a registry there.
 * `-- --dry-run` does all of it in a clone of its own, and uploads to nobody but itself.
 */
import { Console, Effect } from "effect"
import { dirname } from "node:path"
import { parseArgs } from "node:util"
import * as Command from "./check/Command.ts"
import { runScript } from "./check/runScript.ts"
import { CheckFailed } from "./check/Step.ts"
import { problems, tarballs } from "./check/Tarballs.ts"
import { rehearse } from "./release/rehearsal.ts"

const { values: options } = parseArgs({
  options: { "dry-run": { type: "boolean", default: false }, loopback: { type: "string" } }
})

/** For a registry on loopback, and a proxy that is not there for any other: whoever goes by other settings reaches nobody. */
const only = (port: string) => {
  const settings = {
    registry: `http://127.0.0.1:${port}/`,
    http_proxy: "http://127.0.0.1:9",
    https_proxy: "http://127.0.0.1:9",
    no_proxy: "127.0.0.1"
  }
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      [name, name.toUpperCase(), `npm_config_${name}`, `pnpm_config_${name}`].map((key) => [key, value])
    )
  )
}

const isCommitted = Effect.gen(function* () {
  const changes = yield* Command.succeed("git", ["status", "--porcelain"])
  if (changes === "") return
  return yield* new CheckFailed({
    output: `what is not committed would not be in the release's commit:\n${changes.trimEnd()}`
  })
})

const publish = Effect.gen(function* () {
  const pending = yield* Command.succeed("git", ["ls-files", ".changeset/*.md", ":!.changeset/README.md"])
  const all = yield* tarballs
  const found = [
    ...(pending === "" ? [] : ["there are pending changesets: npm run changeset:version first"]),
    ...all.flatMap(problems),
    ...all
      .filter(({ contents }) => !contents.includes("CHANGELOG.md"))
      .map(({ name }) => `${name} has no CHANGELOG.md: npm run changeset:version writes it`)
  ]
  if (found.length > 0) return yield* new CheckFailed({ output: found.join("\n") })
  for (const { file } of all) yield* Command.succeed("publint", ["run", "--strict", file])
  const { loopback } = options
  // changeset runs the pnpm that it finds: ours, which does not come from the registry that is published to.
  const pnpm = yield* Command.succeed("npx", ["-y", "-p", "pnpm@12.21.0", "sh", "-c", "command -v pnpm"])
  const { code } = yield* Command.run("changeset", ["publish"], {
    output: "inherit",
    timeout: "15 minutes",
    env: {
      PATH: `${dirname(pnpm.trim().split("\n").at(-1) ?? "")}:${Command.path}`,
      ...(loopback === undefined ? {} : only(loopback))
    }
  })
  if (code !== 0) return yield* new CheckFailed({ output: `changeset publish ended with exit code ${code}` })
})

const program = Effect.gen(function* () {
  yield* isCommitted
  if (!options["dry-run"]) return yield* publish
  const lines = yield* rehearse
  yield* Console.log(`${lines.join("\n")}\n\nThis is what npm run release would publish and tag.`)
})

runScript(program)
