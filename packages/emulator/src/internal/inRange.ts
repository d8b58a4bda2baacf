/** A number in its range; else throws a `RangeError` that names it. */
export const inRange = (what: string, value: number, isValid: boolean, range: string): number => {
  if (!isValid) throw new RangeError(`${what} is ${range}, not ${value}`)
  return value
}

/** A count of things, 0 or more. */
export const count = (what: string, value: number): number =>
  inRange(what, value, Number.isSafeInteger(value) && value >= 0, "a whole number, 0 or more")
