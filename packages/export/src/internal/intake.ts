/**
 * The lines of the input, checked, numbered, and remembered until they are done; on resuming, those that are done are
 * skipped.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { CheckpointInvalid, type Place } from "../Checkpoint.ts"
import type { Failed } from "../Sink.ts"
import * as UserList from "../UserList.ts"
import * as Hash from "./hash.ts"
import { Seen } from "./seen.ts"

/** A user to read, or a line that is done already. */
export type Task = { readonly _tag: "User"; readonly line: number; readonly userId: string } | Failed

export interface Intake<E, R> {
  /** One at a time, as they are asked for: what has been asked for is pending. */
  readonly tasks: Stream.Stream<Task, E | CheckpointInvalid, R>
  /** The place once these lines are done too. */
  readonly placeAfter: (done: ReadonlyArray<{ readonly line: number }>) => Place
  /** Whether every line is done. */
  readonly isComplete: () => boolean
  readonly settle: (done: ReadonlyArray<{ readonly line: number }>) => void
  /** Some user among the lines read so far, but this one. */
  readonly another: (userId: string) => string | undefined
}

/** The same text, of its own: a line that was cut out of a file keeps the piece alive that it was cut out of. */
const owned = (text: string): string => ` ${text}`.slice(1)

const refuse = (line: number, text: string, error: string, message: string): Failed => ({
  _tag: "Failed",
  line,
  userId: owned(text.slice(0, 64)),
  error,
  code: undefined,
  requestId: undefined,
  message
})

export const make = <E, R>(
  users: Stream.Stream<string, E, R>,
  options: {
    readonly from: Place
    readonly location: string
    readonly start: Hash.Hash
    /** Whether the users have come to their own end. */ readonly isAtEnd: () => boolean
  }
): Intake<E, R> => {
  const { from } = options
  const seen = new Seen(options.start)
  const pending = new Set(from.pending)
  /** The first two: one of them is another. */
  const some: Array<string> = []
  let isComplete = false
  let read = from.read
  let digest = Hash.parse(from.digest)

  const taskOf = (line: number, text: string): Task => {
    const problem = UserList.check(text)
    if (Option.isSome(problem)) return refuse(line, text, problem.value.error, problem.value.message)
    if (seen.add(text)) {
      const userId = owned(text)
      if (some.length < 2) some.push(userId)
      return { _tag: "User", line, userId }
    }
    return refuse(line, text, "DuplicateUser", "this user has come before")
  }

  const take = (text: string): ReadonlyArray<Task> => {
    read++
    digest = Hash.add(digest, text)
    pending.add(read)
    return [taskOf(read, text)]
  }

  const otherUsers = (problem: string) =>
    Effect.fail(new CheckpointInvalid({ path: options.location, reason: "OtherUsers", problem }))

  /** Goes over the lines that had been read before. Those that are pending wait until it is sure that they are the same. */
  const replay = () => {
    let line = 0
    let hash = Hash.zero
    const waiting: Array<Task> = []
    const step = (text: string): Effect.Effect<ReadonlyArray<Task>, CheckpointInvalid> => {
      line++
      if (line > from.read) return Effect.succeed(take(text))
      hash = Hash.add(hash, text)
      const task = taskOf(line, text)
      if (pending.has(line)) waiting.push(task)
      if (line < from.read) return Effect.succeed([])
      return Hash.format(hash) === from.digest
        ? Effect.succeed(waiting.splice(0))
        : otherUsers(`its users are others: among the first ${from.read} lines at least one has changed`)
    }
    const end = Effect.suspend(() => {
      if (!options.isAtEnd()) return Effect.void
      if (line < from.read) {
        return otherUsers(`its users are others: these end after ${line} lines, it had read ${from.read}`)
      }
      isComplete = true
      return Effect.void
    })
    return { step, end }
  }

  const tasks = Stream.suspend(() => {
    const { end, step } = replay()
    return users.pipe(
      // What comes in large pieces is not pending before its turn.
      Stream.rechunk(1),
      Stream.mapEffect(step),
      Stream.flattenIterable,
      Stream.concat(Stream.fromEffectDrain(end))
    )
  })

  return {
    tasks,
    placeAfter: (done) => {
      const isDone = new Set(done.map(({ line }) => line))
      return { read, digest: Hash.format(digest), pending: [...pending].filter((line) => !isDone.has(line)) }
    },
    isComplete: () => isComplete && pending.size === 0,
    settle: (done) => {
      for (const { line } of done) pending.delete(line)
    },
    another: (userId) => some.find((other) => other !== userId)
  }
}
