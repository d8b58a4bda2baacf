/** A number in its range; else throws a `RangeError` that names it. */
export const inRange = (what: string, value: number, isValid: boolean, range: string): void => {
  if (!isValid) throw new RangeError(`${what} is ${range}, not ${value}`)
}
