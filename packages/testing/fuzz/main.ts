/**
 * The long way: `npm run fuzz` with a seed of its own, `npm run fuzz -- 7 500000` with seed 7 and so many inputs for each
 * target (100,000 unless told otherwise). `npm run fuzz:server` is the server alone. What `npm test` runs with a few
 * thousand.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Decoder from "./decoder.ts"
import * as Server from "./server.ts"
import * as Soak from "./soak.ts"

interface Options {
  readonly seed: number
  readonly count: number
}

const decoder = Effect.fnUntraced(function* (options: Options) {
  const { pages, refused } = yield* Decoder.run(options)
  yield* Console.log(`decoder: ${pages} pages, ${refused} typed errors`)
})

const server = Effect.fnUntraced(function* (options: Options) {
  const begun = yield* Clock.currentTimeMillis
  const { codes, sizes } = yield* Server.run(options)
  const seconds = ((yield* Clock.currentTimeMillis) - begun) / 1000
  const answers = [...codes].toSorted(([a], [b]) => a - b).map(([code, times]) => `${code} x ${times}`)
  yield* Console.log(`server: ${seconds.toFixed(0)} s; ${answers.join(", ")}`)
  yield* Console.log(`server: megabytes in use after each tenth: ${sizes.map((size) => size.toFixed(1)).join(" ")}`)
  const growth = Server.growth(sizes)
  if (growth > Server.allowedGrowth) {
    return yield* Effect.die(new Error(`the server's memory grew by ${growth.toFixed(1)} MB in the second half`))
  }
})

const soak = Effect.fnUntraced(function* ({ seed }: Options) {
  const { calls, failed, lists } = yield* Soak.run({ seed, hours: 1, users: 100, roundsPerHour: 360 })
  yield* Console.log(`soak: an hour with ${calls} calls and ${lists} lists, ${failed} honest failures`)
})

const program = Effect.gen(function* () {
  const words = process.argv.slice(2)
  const alone = words.includes("server")
  const numbers = words.filter((word) => word !== "server").map(Number)
  const [seed = (yield* Clock.currentTimeMillis) % 1_000_000, count = 100_000] = numbers
  if (numbers.some((number) => !Number.isSafeInteger(number) || number < 0)) {
    return yield* Effect.die(new Error("usage: npm run fuzz -- [server] [seed] [count]"))
  }
  yield* Console.log(`seed ${seed}, ${count} inputs`)
  for (const target of alone ? [server] : [decoder, server, soak]) yield* target({ seed, count })
})

NodeRuntime.runMain(program)
