/** Reads so many users' lists in the way it is told the name of, in a process of its own, and prints what that took. */
import * as Effect from "effect/Effect"
import { conversationsPerUser, readers, type Tally } from "./streamReaders.ts"

const [name, users = ""] = process.argv.slice(2)
const parts = 20

const read = async (): Promise<void> => {
  const reader = readers.find((reader) => reader.name === name)
  if (reader === undefined || globalThis.gc === undefined) throw new Error(`--expose-gc, and no ${name}`)
  const tally: Tally = { count: 0, sum: 0 }
  const live: Array<number> = []
  let garbage = 0
  // While it goes on, from outside: what is alive after a full collection, and what lies around before.
  const total = Number(users) * conversationsPerUser
  const every = total / parts
  let next = every
  const watched: Tally = {
    get count() {
      return tally.count
    },
    set count(count) {
      tally.count = count
      if (count < next) return
      next += every
      garbage = Math.max(garbage, process.memoryUsage().heapUsed)
      globalThis.gc?.()
      live.push(process.memoryUsage().heapUsed)
    },
    sum: 0
  }
  const started = performance.now()
  await Effect.runPromise(reader.read(Number(users), watched))
  const seconds = (performance.now() - started) / 1000
  const { maxRSS } = process.resourceUsage()
  process.stdout.write(
    JSON.stringify({ count: tally.count, sum: watched.sum, seconds, live, garbage, rss: maxRSS * 1024 })
  )
}

await read()
