/** Everything that is simulated for the table: who, against what, over which way. */
import * as Effect from "effect/Effect"
import type { Contestant } from "./Contestant.ts"
import * as NetworkPath from "./NetworkPath.ts"
import * as OtherLimiters from "./OtherLimiters.ts"
import * as ServiceModels from "./ServiceModels.ts"
import * as Simulation from "./Simulation.ts"
import * as OurPolicies from "./OurPolicies.ts"

export const seeds: ReadonlyArray<number> = [1, 2, 3]

/** Virtual seconds for each seed: the first ones are not counted, then as many are. */
export const warmUp = 15
export const measured = 40

export const callers = 40

export interface Cell {
  readonly contestant: Contestant
  readonly server: ServiceModels.Server
  readonly path: NetworkPath.NetworkPath
  readonly processes: number
}

const oneProcess: ReadonlyArray<Contestant> = [
  OurPolicies.separate("effect-zim", 1),
  OtherLimiters.effectLimiter("Effect fixed window", "fixed-window"),
  OtherLimiters.effectLimiter("Effect token bucket", "token-bucket"),
  OtherLimiters.pacing("one call every 50 ms", 1),
  OtherLimiters.awsAdaptive,
  OtherLimiters.backoff
]

const fourProcesses: ReadonlyArray<Contestant> = [
  OurPolicies.shared("effect-zim, one store"),
  OurPolicies.separate("effect-zim, a quarter each", 4),
  OurPolicies.separate("effect-zim, unaware of each other", 1),
  OtherLimiters.effectLimiter("Effect fixed window, one store", "fixed-window"),
  OtherLimiters.effectLimiter("Effect token bucket, one store", "token-bucket"),
  OtherLimiters.pacing("one call every 200 ms each", 4),
  OtherLimiters.awsAdaptive,
  OtherLimiters.backoff
]

const cross = (
  processes: number,
  contestants: ReadonlyArray<Contestant>,
  servers: ReadonlyArray<ServiceModels.Server>,
  paths: ReadonlyArray<NetworkPath.NetworkPath>
): ReadonlyArray<Cell> =>
  paths.flatMap((path) =>
    contestants.flatMap((contestant) => servers.map((server) => ({ contestant, server, path, processes })))
  )

export const cells: ReadonlyArray<Cell> = [
  ...cross(1, oneProcess, ServiceModels.all, NetworkPath.all),
  ...cross(
    4,
    fourProcesses,
    [
      ServiceModels.fixedUnaligned,
      ServiceModels.sliding,
      ServiceModels.slidingCounting,
      ServiceModels.bucket,
      ServiceModels.leakyStrict
    ],
    [NetworkPath.lan, NetworkPath.wan]
  )
]

export const summaryOf = (cell: Cell): Effect.Effect<Simulation.Summary> =>
  Effect.map(
    Effect.forEach(seeds, (seed) => Simulation.run({ ...cell, seed, warmUp, measured, callers })),
    Simulation.summarize
  )
