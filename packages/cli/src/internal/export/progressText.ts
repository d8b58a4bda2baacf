/** The words of an export while it runs and when it is done. */
import type { Progress } from "@effect-zim/export"
import { displayWidth } from "effect/cli/CliOutput"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { fit } from "../terminal/terminalText.ts"

export const number = (value: number): string => Math.round(value).toLocaleString("en-US")

/** How many of how many, if that is known. */
export const doneOf = (done: number, all: number | undefined): string =>
  all === undefined ? number(done) : `${number(done)} of ${number(all)}`

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

export interface Scale {
  /** How many lines the users have, where that is known. */
  readonly lines: number | undefined
  readonly callsPerSecond: number
}

/** Requests that fail are made again for half an hour, in silence: who looks should know before. */
const isInVain = ({ calls, rejections, retries }: Progress.Status): boolean =>
  calls >= 3 && retries === calls && rejections < calls

/** How it is getting on, in one line, the least important at the end. */
export const statusLine = (status: Progress.Status, scale: Scale, width = Infinity): string => {
  const { calls, callsPerSecond, counts, rejections, retries, timeLeft } = status
  const parts = [
    scale.lines === undefined ? plural(counts.lines, "user") : `${number(counts.lines)}/${plural(scale.lines, "user")}`,
    ...(isInVain(status) ? ["every call has failed: see zim doctor"] : []),
    ...(Option.isSome(timeLeft) && calls > 0 ? [`${time(timeLeft.value)} left`] : []),
    `${callsPerSecond.toFixed(1)}/${scale.callsPerSecond} calls/s`,
    `${number(rejections)} rejected`,
    `${number(retries)} retried`,
    plural(counts.conversations, "conversation")
  ]
  while (parts.length > 1 && displayWidth(parts.join(", ")) > width) parts.pop()
  return fit(parts.join(", "), width)
}

/** What has been done, when there is nothing more to do. */
export const summary = (status: Progress.Status, failures: string): ReadonlyArray<string> => {
  const { calls, counts, elapsed, rejections, retries } = status
  const seconds = Duration.toSeconds(elapsed)
  const took =
    seconds < 1
      ? "less than a second"
      : // The first calls take no time: the pace of a few seconds says nothing about the quota.
        `${time(elapsed)}${seconds < 5 ? "" : ` (${(calls / seconds).toFixed(1)}/s)`}`
  const without = [
    ...(counts.failed > 0 ? [`${plural(counts.failed, "user")} could not be read`] : []),
    ...(counts.invalid > 0
      ? [`${plural(counts.invalid, "line")} ${counts.invalid === 1 ? "is" : "are"} no user id`]
      : []),
    ...(counts.duplicates > 0 ? [plural(counts.duplicates, "duplicate")] : [])
  ]
  return [
    `done: ${plural(counts.users, "user")}, ${plural(counts.conversations, "conversation")}`,
    ...(calls > 0
      ? [`${plural(calls, "call")} in ${took}, ${number(rejections)} rejected, ${number(retries)} retried`]
      : []),
    ...(counts.lines === 0 ? ["there were no users: the input is empty"] : []),
    ...(without.length > 0 ? [`${without.join(", ")}: see ${failures}`] : []),
    ...(counts.atCap > 0
      ? [`${plural(counts.atCap, "user")} may have more than 1000 conversations: the service returns the latest 1000`]
      : []),
    ...(counts.changedWhileReading > 0
      ? [`${plural(counts.changedWhileReading, "list")} kept changing while being read: entries may be missing`]
      : [])
  ]
}
