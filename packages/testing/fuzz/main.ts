/**
 * The long way: `npm run fuzz` with seeds of its own, `npm run fuzz -- 7 500000` with seed 7 and so many inputs for each
 * target (100,000 unless told otherwise). What `npm test` runs with a few thousand.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Decoder from "./decoder.ts"
import * as Server from "./server.ts"
import * as Soak from "./soak.ts"

const program = Effect.gen(function* () {
  const [first, second] = process.argv.slice(2)
  const seed = first === undefined ? (yield* Clock.currentTimeMillis) % 1_000_000 : Number(first)
  const count = second === undefined ? 100_000 : Number(second)
  yield* Console.log(`seed ${seed}, ${count} inputs`)

  const { pages, refused } = yield* Decoder.run({ seed, count })
  yield* Console.log(`decoder: ${pages} pages, ${refused} typed errors`)

  const { codes, sizes } = yield* Server.run({ seed, count })
  const answers = [...codes].toSorted(([a], [b]) => a - b).map(([code, times]) => `${code} x ${times}`)
  yield* Console.log(`server: ${answers.join(", ")}`)
  yield* Console.log(`server: megabytes in use after each tenth: ${sizes.map((size) => size.toFixed(1)).join(" ")}`)
  const growth = Server.growth(sizes)
  if (growth > Server.allowedGrowth) {
    return yield* Effect.die(new Error(`the server's memory grew by ${growth.toFixed(1)} MB in the second half`))
  }

  const soak = yield* Soak.run({ seed, hours: 1, users: 100, roundsPerHour: 360 })
  yield* Console.log(`soak: an hour with ${soak.calls} calls and ${soak.lists} lists, ${soak.failed} honest failures`)
})

NodeRuntime.runMain(program)
