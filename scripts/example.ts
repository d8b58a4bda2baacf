/**
 * `npm run example -- NAME`: packs the packages, installs the example from them outside of this repository, and runs it
 * against an emulator. Without a name it says which there are.
 */
import { Console, Effect } from "effect"
import * as Examples from "./check/examples.ts"
import { runScript } from "./check/runScript.ts"
import { CheckFailed } from "./check/Step.ts"
import { tarballs } from "./check/Tarballs.ts"

const program = Effect.gen(function* () {
  const [name] = process.argv.slice(2)
  const all = yield* Examples.all
  const example = all.find((one) => one.name === name)
  if (example === undefined) {
    const list = all.map((one) => `  ${one.name.padEnd(20)} ${one.description}`).join("\n")
    const text = `npm run example -- NAME, where NAME is one of\n\n${list}\n`
    if (name === undefined) return yield* Console.log(text)
    return yield* new CheckFailed({ output: `There is no example ${name}.\n\n${text}` })
  }
  const missing = Examples.missing(example)
  if (missing !== undefined) return yield* new CheckFailed({ output: `${example.name} cannot run here: ${missing}` })
  yield* Console.log("Packing the packages ...")
  const packed = yield* tarballs
  yield* Console.log("Installing the example from them ...")
  const folder = yield* Examples.install([example], packed)
  yield* Console.log(`Running it: ${example.check}\n`)
  yield* Examples.run(example, folder, "inherit")
  yield* Console.log("\nEverything was as it should be.")
})

runScript(program)
