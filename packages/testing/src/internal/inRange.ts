/** A number in its range; else throws a `RangeError` that names it. */
export const inRange = (what: string, value: number, isValid: boolean, range: string): number => {
  if (!isValid) throw new RangeError(`${what} is ${range}, not ${value}`)
  return value
}

/** A count, this many or more. */
export const atLeast = (what: string, least: number, value: number): number =>
  inRange(what, value, Number.isSafeInteger(value) && value >= least, `a whole number, ${least} or more`)
