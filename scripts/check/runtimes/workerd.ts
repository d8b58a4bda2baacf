/** workerd, serving the bundled probe. */
import { Effect, FileSystem, Predicate, Result } from "effect"
import { createRequire } from "node:module"
import * as Command from "../Command.ts"
import * as ReadyLine from "../ReadyLine.ts"

const client = createRequire(`${Command.root}/packages/client/package.json`)

/** It comes without types. The script that the package puts in front of its program passes neither outputs nor signals on. */
const program = (): string => {
  const module: unknown = client("workerd")
  return Predicate.hasProperty(module, "default") ? String(module.default) : ""
}

const config = (
  modules: ReadonlyArray<string>,
  flags: ReadonlyArray<string>
): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .probe), (name = "internet", network = (allow = ["local"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const probe :Workerd.Worker = (
  modules = [${modules.map((name) => `(name = "${name}", esModule = embed "${name}")`).join(", ")}],
  compatibilityDate = "2026-04-01",
  compatibilityFlags = [${flags.map((flag) => `"${flag}"`).join(", ")}],
  bindings = [(name = "ZIM_APP_ID", text = "12345"), (name = "ZIM_SERVER_SECRET", text = "no secret")]
);
`

const portOf = (line: string): Result.Result<string, undefined> => {
  const port = /"port":(\d+)/.exec(line)?.[1]
  return port === undefined ? Result.fail(undefined) : Result.succeed(port)
}

/** Serves the modules of a folder for as long as the scope lasts; the first one is `worker.js`. */
export const serve = Effect.fnUntraced(function* (cwd: string, flags: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const others = (yield* fs.readDirectory(cwd)).filter((name) => name.endsWith(".js") && name !== "worker.js")
  const file = ["config", ...flags, "capnp"].join(".")
  yield* fs.writeFileString(`${cwd}/${file}`, config(["worker.js", ...others], flags))
  const { line, printed } = yield* ReadyLine.start([program(), "serve", file, "--control-fd=3"], portOf, {
    cwd,
    isOnFd3: true
  })
  return { url: `http://127.0.0.1:${line}`, printed }
})
