/** How much of the quota is used and how much is rejected: a part of the simulation. */
import * as Grid from "@effect-zim/simulation/Grid"
import * as NetworkPath from "@effect-zim/simulation/NetworkPath"
import * as ServiceModels from "@effect-zim/simulation/ServiceModels"
import * as Effect from "effect/Effect"
import * as Measure from "../Measure.ts"
import type * as Results from "../Results.ts"
import type { Suite } from "../Suite.ts"

const path = NetworkPath.wan
const servers = [ServiceModels.fixedUnaligned, ServiceModels.sliding, ServiceModels.slidingCounting]

const isOurs = (name: string): boolean => name.startsWith("effect-zim")

const table = (server: ServiceModels.Server) =>
  Effect.gen(function* () {
    yield* Measure.announce(`a service that counts: ${server.name}`)
    const cells = Grid.cells.filter((cell) => cell.processes === 1 && cell.path === path && cell.server === server)
    const summaries = yield* Effect.forEach(cells, (cell) =>
      Effect.map(Grid.summaryOf(cell), (summary) => ({ name: cell.contestant.name, ...summary }))
    )
    const value = (middle: number): Measure.Value => ({ middle })
    const table: Results.Table = {
      title: `A service that counts: ${server.name}`,
      about: server.about,
      columns: [
        { name: "used of the quota (more is better)", format: "share" },
        { name: "rejected", format: "share" },
        { name: "most calls in a second", format: "count" },
        { name: "p99 until answered", format: "micros" }
      ],
      rows: summaries.map(({ calls, name, p99, rejected, used, worstWindow }) => ({
        name,
        role: isOurs(name) ? "ours" : "peer",
        values: [used, rejected / calls, worstWindow, p99 * 1000].map(value)
      })),
      goals: summaries
        .filter(({ name }) => isOurs(name))
        .flatMap(({ rejected, used }): ReadonlyArray<Results.Goal> => [
          { text: `Used, ${server.name}, ${path.name}`, reached: used, bound: { atLeast: 0.95 }, format: "share" },
          { text: `Calls rejected, ${server.name}`, reached: rejected, bound: { atMost: 0 }, format: "count" }
        ]),
      isCharted: false
    }
    return table
  })

export const quota: Suite = {
  name: "quota",
  title: "What is used of a quota of 20 calls a second",
  about: `Virtual time, so the numbers are the same on every machine: one process, ${Grid.callers} callers, ${path.about}. A part of
[the simulation](simulation.md), which has more ways to count, more paths, several processes, and describes who takes part.`,
  run: Effect.forEach(servers, table)
}
