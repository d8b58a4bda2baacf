import type * as EffectRandom from "effect/Random"

/** Draws a latency in milliseconds. */
export type Latency = (random: EffectRandom.Random) => number

/** No tail is longer than this: a day. */
const longest = 86_400_000

const bounded =
  (draw: Latency): Latency =>
  (random) =>
    Math.min(longest, Math.max(0, draw(random)))

/** Above 0, up to 1: its logarithm is finite. */
const uniform = (random: EffectRandom.Random): number => 1 - random.nextDoubleUnsafe()

const standardNormal: Latency = (random) =>
  Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * random.nextDoubleUnsafe())

export const between = (minimum: number, maximum: number): Latency =>
  minimum === maximum ? () => minimum : (random) => minimum + random.nextDoubleUnsafe() * (maximum - minimum)

export const normal = (mean: number, deviation: number): Latency =>
  bounded((random) => mean + deviation * standardNormal(random))

export const logNormal = (median: number, sigma: number): Latency =>
  bounded((random) => median * Math.exp(sigma * standardNormal(random)))

export const exponential = (mean: number): Latency => bounded((random) => -mean * Math.log(uniform(random)))

export const pareto = (minimum: number, shape: number): Latency =>
  bounded((random) => minimum / uniform(random) ** (1 / shape))
