/** Numbers, counts and durations in words. */
import * as Duration from "effect/Duration"

export const number = (value: number): string => Math.round(value).toLocaleString("en-US")

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`

/** Two units at most: nobody needs the seconds of an hour. */
export const time = (duration: Duration.Duration): string => {
  const seconds = Math.round(Duration.toSeconds(duration))
  const parts: ReadonlyArray<readonly [number, string]> = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"]
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return "0s"
  return parts
    .slice(first, first + 2)
    .filter(([count], i) => i === 0 || count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(" ")
}
