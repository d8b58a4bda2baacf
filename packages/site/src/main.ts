/**
 * `npm run site`: builds the site into `packages/site/dist`, for any static host; `-- --serve` shows it afterwards.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import * as Content from "./Content.ts"
import * as DeadLinks from "./DeadLinks.ts"
import { here, output } from "./Folders.ts"

class VitePressFailed extends Data.TaggedError("VitePressFailed")<{ readonly code: number }> {}

const vitepress = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const program = `${here}/node_modules/vitepress/bin/vitepress.js`
  const child = yield* ChildProcess.make(process.execPath, [program, ...args], {
    cwd: here,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit"
  })
  const code = yield* child.exitCode
  if (code !== 0) return yield* new VitePressFailed({ code })
}, Effect.scoped)

const program = Effect.gen(function* () {
  const content = yield* Content.write
  yield* vitepress(["build"])
  yield* Content.writeBeside(content)
  const { links, pages } = yield* DeadLinks.check
  yield* Console.log(`${pages} pages, ${links} links that all lead somewhere. Any static host takes ${output}`)
  if (process.argv.includes("--serve")) yield* vitepress(["serve", "--port", "4173"])
})

program.pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
