/** Everything that is simulated for the table: who, against what, over which way. */
import * as Effect from "effect/Effect"
import type { Contestant } from "./Contestant.ts"
import * as NetworkPath from "./NetworkPath.ts"
import * as Rivals from "./Rivals.ts"
import * as Server from "./Server.ts"
import * as Simulation from "./Simulation.ts"
import * as Ours from "./Ours.ts"

export const seeds: ReadonlyArray<number> = [1, 2, 3]

/** Virtual seconds for each seed: the first ones are not counted, then as many are. */
export const warmUp = 15
export const measured = 40

export const callers = 40

export interface Cell {
  readonly contestant: Contestant
  readonly server: Server.Server
  readonly path: NetworkPath.NetworkPath
  readonly processes: number
}

const oneProcess: ReadonlyArray<Contestant> = [
  Ours.separate("effect-zim", 1),
  Rivals.effectLimiter("Effect fixed window", "fixed-window"),
  Rivals.effectLimiter("Effect token bucket", "token-bucket"),
  Rivals.pacing("one call every 50 ms", 1),
  Rivals.awsAdaptive,
  Rivals.backoff
]

const fourProcesses: ReadonlyArray<Contestant> = [
  Ours.shared("effect-zim, one store"),
  Ours.separate("effect-zim, a quarter each", 4),
  Ours.separate("effect-zim, unaware of each other", 1),
  Rivals.effectLimiter("Effect fixed window, one store", "fixed-window"),
  Rivals.effectLimiter("Effect token bucket, one store", "token-bucket"),
  Rivals.pacing("one call every 200 ms each", 4),
  Rivals.awsAdaptive,
  Rivals.backoff
]

const cross = (
  processes: number,
  contestants: ReadonlyArray<Contestant>,
  servers: ReadonlyArray<Server.Server>,
  paths: ReadonlyArray<NetworkPath.NetworkPath>
): ReadonlyArray<Cell> =>
  paths.flatMap((path) =>
    contestants.flatMap((contestant) => servers.map((server) => ({ contestant, server, path, processes })))
  )

export const cells: ReadonlyArray<Cell> = [
  ...cross(1, oneProcess, Server.all, NetworkPath.all),
  ...cross(
    4,
    fourProcesses,
    [Server.fixedUnaligned, Server.sliding, Server.slidingCounting, Server.bucket, Server.leakyStrict],
    [NetworkPath.lan, NetworkPath.wan]
  )
]

export const summaryOf = (cell: Cell): Effect.Effect<Simulation.Summary> =>
  Effect.map(
    Effect.forEach(seeds, (seed) => Simulation.run({ ...cell, seed, warmUp, measured, callers })),
    Simulation.summarize
  )
