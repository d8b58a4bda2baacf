/** The most of these times, ascending, in any window of this length. */
export const peak = (times: ReadonlyArray<number>, window: number): number => {
  let first = 0
  let most = 0
  for (const [last, time] of times.entries()) {
    while (time - (times[first] ?? time) >= window) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}
