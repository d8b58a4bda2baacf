/** Numbers in their range: what else is given is a `RangeError` that names it. */
import * as Duration from "effect/Duration"

/** A number in its range; else throws a `RangeError` that names it. */
export const inRange = (what: string, value: number, isValid: boolean, range: string): number => {
  if (!isValid) throw new RangeError(`${what} is ${range}, not ${value}`)
  return value
}

/** A number of calls, of which there are so many at most. */
export const callsInRange = (what: string, calls: number, most = Infinity, range = "1 or more"): number =>
  inRange(what, calls, Number.isSafeInteger(calls) && calls > 0 && calls <= most, `a whole number of calls, ${range}`)

const isInRange = {
  "a time, in milliseconds, 0 or more": (millis: number) => millis >= 0,
  "a finite time, in milliseconds, 0 or more": (millis: number) => millis >= 0 && millis < Infinity,
  "a finite time, in milliseconds, above 0": (millis: number) => millis > 0 && millis < Infinity
}

/** A time, in milliseconds. */
export const millisInRange = (what: string, time: Duration.Input, range: keyof typeof isInRange): number => {
  const millis = Duration.toMillis(time)
  return inRange(what, millis, isInRange[range](millis), range)
}
