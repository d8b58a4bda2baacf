/**
 * The lines of the input, checked, numbered, and remembered until they are done; on resuming, those that are done are
 * skipped.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { CheckpointInvalid, Place } from "../../Checkpoint.ts"
import type { Failed } from "../../ExportSink.ts"
import * as UserList from "../../UserList.ts"
import { invalid } from "../refusals.ts"
import * as Hash from "../textHash.ts"
import { UserIdSet } from "./userIdSet.ts"

/** A line whose user is to be read. */
export interface User {
  readonly _tag: "User"
  readonly line: number
  readonly userId: string
}

/** A user to read, or a line that is done already. */
export type Task = User | Failed

/** So many users of the beginning are kept, to be asked instead of another one. */
const mostSamples = 4

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

export class InputLines {
  readonly #from: Place
  readonly #location: string
  readonly #seen: UserIdSet
  readonly #pending: Set<number>
  readonly #samples: Array<string> = []
  /** Pending lines of an earlier session, until it is sure that they are the same. */
  #replayed: Array<Task> = []
  #line = 0
  #digest = Hash.zero
  #isComplete = false

  constructor(options: { readonly from: Place; readonly location: string; readonly hashStart: Hash.Hash }) {
    this.#from = options.from
    this.#location = options.location
    this.#seen = new UserIdSet(options.hashStart)
    this.#pending = new Set(options.from.pending)
  }

  /** One at a time, as they are asked for, to be run once: what has been asked for is pending. */
  tasks<E, R>(
    users: Stream.Stream<string, E, R>,
    until: Effect.Effect<unknown>
  ): Stream.Stream<Task, E | CheckpointInvalid, R> {
    let isAtEnd = false
    const end = Stream.suspend(() => {
      isAtEnd = true
      return Stream.empty
    })
    return users.pipe(
      Stream.concat(end),
      // It ends a wait for more users, too.
      Stream.interruptWhen(until),
      // What comes in large pieces is not pending before its turn.
      Stream.rechunk(1),
      Stream.mapEffect((text) => this.#next(text)),
      Stream.flattenIterable,
      Stream.concat(Stream.fromEffectDrain(Effect.suspend(() => (isAtEnd ? this.#end() : Effect.void))))
    )
  }

  /** The place once these lines are done too. */
  placeAfter(done: ReadonlyArray<{ readonly line: number }>): Place {
    const isDone = new Set(done.map(({ line }) => line))
    const pending = [...this.#pending].filter((line) => !isDone.has(line))
    if (this.#line <= this.#from.read) return { ...this.#from, pending }
    return { read: this.#line, digest: Hash.format(this.#digest), pending }
  }

  /** Whether every line is done. */
  get isComplete(): boolean {
    return this.#isComplete && this.#pending.size === 0
  }

  settle(done: ReadonlyArray<{ readonly line: number }>): void {
    for (const { line } of done) this.#pending.delete(line)
  }

  /** Some user of the beginning that is none of these. */
  another(than: ReadonlyArray<string>): string | undefined {
    return this.#samples.find((userId) => !than.includes(userId))
  }

  #next(text: string): Effect.Effect<ReadonlyArray<Task>, CheckpointInvalid> {
    const { digest, read } = this.#from
    const line = ++this.#line
    this.#digest = Hash.add(this.#digest, text)
    const task = this.#taskOf(line, text)
    if (line > read) {
      this.#pending.add(line)
      return Effect.succeed([task])
    }
    if (this.#pending.has(line)) this.#replayed.push(task)
    if (line < read) return Effect.succeed([])
    return Hash.format(this.#digest) === digest
      ? Effect.succeed(this.#replayed.splice(0))
      : this.#otherUsers(`among the first ${read} lines at least one has changed`)
  }

  #taskOf(line: number, text: string): Task {
    const problem = UserList.check(text)
    if (Option.isSome(problem)) return refuse(line, text, problem.value.error, problem.value.message)
    if (!this.#seen.add(text)) return refuse(line, text, "DuplicateUser", "this user has come before")
    const userId = owned(text)
    if (this.#samples.length < mostSamples) this.#samples.push(userId)
    return { _tag: "User", line, userId }
  }

  #end(): Effect.Effect<void, CheckpointInvalid> {
    const { read } = this.#from
    if (this.#line < read) return this.#otherUsers(`these end after ${this.#line} lines, it had read ${read}`)
    this.#isComplete = true
    return Effect.void
  }

  #otherUsers(how: string): Effect.Effect<never, CheckpointInvalid> {
    return Effect.fail(invalid(this.#location, "OtherUsers", `its users are others: ${how}`))
  }
}
