/**
 * `npm run release`: checks what is to be published, says what that is, and publishes it. With `-- --dry-run` it does all
 * of it but the upload, and needs no network.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect } from "effect"
import * as Command from "./check/Command.ts"
import { CheckFailed } from "./check/Step.ts"
import { problems, tarballs } from "./check/Tarballs.ts"

const isDryRun = process.argv.includes("--dry-run")

const program = Effect.gen(function* () {
  const changes = yield* Command.succeed("git", ["status", "--porcelain"])
  const pending = yield* Command.succeed("git", ["ls-files", ".changeset/*.md", ":!.changeset/README.md"])
  const all = yield* tarballs
  const found = [
    ...(changes === "" ? [] : [`what is not committed would not be in the release's commit:\n${changes.trimEnd()}`]),
    ...(pending === "" || isDryRun ? [] : ["there are pending changesets: npm run changeset:version first"]),
    ...all.flatMap(problems)
  ]
  if (found.length > 0) return yield* new CheckFailed({ output: found.join("\n") })
  for (const { file } of all) yield* Command.succeed("publint", ["run", "--strict", file])
  yield* Console.log(
    all
      .map(({ contents, name, size, version }) => {
        const kilobytes = `${(size / 1024).toFixed(0)} kB`
        return `${name.padEnd(24)} ${version.padEnd(8)} ${`${contents.length} files`.padStart(10)} ${kilobytes.padStart(8)}`
      })
      .join("\n")
  )
  if (isDryRun) {
    const next = pending === "" ? "" : "; first, npm run changeset:version makes versions of the pending changesets"
    return yield* Console.log(`\nThis is what npm run release would publish${next}.`)
  }
  yield* Command.run("npx", ["-y", "-p", "pnpm@12.21.0", "changeset", "publish"], {
    output: "inherit",
    timeout: "15 minutes"
  }).pipe(
    Effect.filterOrFail(
      ({ code }) => code === 0,
      ({ code }) => new CheckFailed({ output: `changeset publish ended with exit code ${code}` })
    )
  )
})

program.pipe(
  Effect.scoped,
  Effect.catchTag("CheckFailed", ({ output }) =>
    Effect.andThen(
      Console.error(output),
      Effect.sync(() => (process.exitCode = 1))
    )
  ),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
