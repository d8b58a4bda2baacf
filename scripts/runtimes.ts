/**
 * `npm run runtimes`: measures every runtime and bundler, and writes the tables of `docs/runtimes.md`.
 */
import { runScript } from "./check/runScript.ts"
import { write } from "./check/runtimesStep.ts"

runScript(write)
