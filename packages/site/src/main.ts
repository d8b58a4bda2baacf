/**
 * `npm run site`: builds the site into `packages/site/dist`, for any static host; `-- --serve` shows it afterwards.
 * `SITE_BASE=/path/` is where it will be at its host, `SITE_PORT` where `--serve` shows it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ChildProcess from "effect/process/ChildProcess"
import * as SiteFiles from "./SiteFiles.ts"
import * as DeadLinks from "./DeadLinks.ts"
import { base, here, output } from "./Paths.ts"
import * as Server from "./Server.ts"

class VitePressFailed extends Data.TaggedError("VitePressFailed")<{ readonly code: number }> {
  override get message(): string {
    return `VitePress failed (exit code ${this.code})`
  }
}

const buildPages = Effect.gen(function* () {
  const vitepress = `${here}/node_modules/vitepress/bin/vitepress.js`
  const child = yield* ChildProcess.make(process.execPath, [vitepress, "build"], {
    cwd: here,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit"
  })
  const code = yield* child.exitCode
  if (code !== 0) return yield* new VitePressFailed({ code })
}).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  // Before the site is built, so that nobody waits for what is wrong.
  yield* base
  const url = process.argv.includes("--serve") ? yield* Server.start : undefined
  const content = yield* SiteFiles.write
  yield* buildPages
  yield* SiteFiles.writeBeside(content)
  const { links, pages } = yield* DeadLinks.check
  yield* Console.log(`${pages} pages, ${links} links that all lead somewhere. Any static host takes ${output}`)
  if (url === undefined) return
  yield* Console.log(`The site is at ${url} and Ctrl+C stops it.`)
  return yield* Effect.never
}).pipe(Effect.scoped)

program.pipe(
  Effect.tapCause((cause) =>
    Console.error(
      Option.match(Cause.findErrorOption(cause), {
        onNone: () => Cause.pretty(cause),
        onSome: ({ message }) => message
      })
    )
  ),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
