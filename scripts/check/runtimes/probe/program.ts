/** For Node, Bun and Deno: takes what is given as JSON, and which checks; prints the answers in a line of its own. */
import * as Schema from "effect/Schema"
import * as Process from "node:process"
import { GivenJson } from "./Check.ts"
import { client, packages } from "./probe.ts"

const [json = "", ...which] = Process.argv.slice(2)
const given = Schema.decodeSync(GivenJson)(json)
const answers = {
  ...(which.includes("client") && (await client(given))),
  ...(which.includes("packages") && (await packages(given)))
}
Process.stdout.write(`\nanswers: ${JSON.stringify(answers)}\n`)
