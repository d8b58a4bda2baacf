/** Answers of the service, made up: the same on every run. */

/** An entry of `List`. */
export interface Entry {
  readonly ConvId: string
  readonly ConvType: number
  readonly UpdateTime: number
}

const newest = 1_708_254_395_000

/** Groups and peers, ids of the usual lengths, ascending by time. */
export const entries = (count: number): ReadonlyArray<Entry> =>
  Array.from({ length: count }, (_, index) => ({
    ConvId: index % 3 === 0 ? `group_${1_000_000 + index * 7919}` : `user-${(index * 104_729) % 1_000_003}`,
    ConvType: index % 3 === 0 ? 2 : 0,
    UpdateTime: newest - (count - index) * 61_337
  }))

const envelope = { Code: 0, Message: "success", RequestId: "343649807833778782" }

/** A page of a list that goes on after it, where `next` is not 0. */
export const page = (list: ReadonlyArray<unknown>, next: number | string = 0): string =>
  JSON.stringify({ ...envelope, TotalCount: list.length, Next: next, List: list })

/** The answer for a user that nobody registered. */
export const failure = JSON.stringify({ ...envelope, Code: 660500002, Message: "user not registered" })
