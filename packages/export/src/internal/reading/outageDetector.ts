/** Tells an outage from the trouble of one user: whoever was read last, a witness, is asked again. */
import { ClientError, type Conversations } from "@effect-zim/client"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { User } from "./inputLines.ts"
import { type Asked, probeList } from "./listCalls.ts"

/** How many others are asked before nobody can be read. */
const mostAsked = 3

/** A user who could not be read, for what may be everybody's trouble. */
export interface SuspectFailure {
  readonly _tag: "SuspectFailure"
  readonly user: User
  readonly error: Conversations.ListError
  /** When it turned out: what began later has a larger number. */
  readonly turn: number
}

/**
 * Many users in a row are not registered (or all since a resume), and neither are those whose lists were read before: the
 * service answers with the data of another app, or with none. Nothing of these users is recorded: they are pending.
 *
 * @category errors
 * @since 0.1.0
 */
export class UsersVanished extends Schema.TaggedError<UsersVanished>("@effect-zim/export/UsersVanished")(
  "UsersVanished",
  {
    userId: Schema.String,
    unregistered: Schema.Int
  }
) {
  override get message(): string {
    const row = this.unregistered === 1 ? "a user" : `${this.unregistered} users in a row`
    return `the service has lost users: it does not know ${row}, nor ${this.userId}, whose list was read before`
  }
}

export interface Options {
  readonly pageSize: number
  /** A user whose list was read, if there is one. */
  readonly witness: string | undefined
  /** Some user that is none of these. */
  readonly another: (than: ReadonlyArray<string>) => string | undefined
  /** The time in milliseconds. */
  readonly now: () => number
}

export type Moment = ReturnType<OutageDetector["now"]>

export class OutageDetector {
  readonly #options: Options
  readonly #one = Semaphore.makeUnsafe(1)
  #userId: string | undefined
  /** Counts what begins and ends: it may be at the same time. */
  #turn = 0
  /** Of the calls that have read a list the last to begin, and the last to end. */
  #last: { readonly began: number; readonly ended: number; readonly endedAt: number }

  constructor(options: Options) {
    this.#options = options
    this.#userId = options.witness
    this.#last = { began: 0, ended: 0, endedAt: options.now() }
  }

  /** Whether anybody has ever been read. */
  get hasWitness(): boolean {
    return this.#userId !== undefined
  }

  /** Whether anybody has been read by this process. */
  get isWitnessOfNow(): boolean {
    return this.#last.ended > 0
  }

  now(): { readonly turn: number; readonly at: number } {
    return { turn: this.#turn, at: this.#options.now() }
  }

  next(): number {
    return ++this.#turn
  }

  succeeded(userId: string, began: number): void {
    this.#userId = userId
    this.#last = { began: Math.max(this.#last.began, began), ended: this.next(), endedAt: this.#options.now() }
  }

  /** Whether nobody has been read since, or not for half of that time. */
  isSilentSince(began: Moment): boolean {
    const now = this.#options.now()
    return this.#last.ended <= began.turn || now - this.#last.endedAt > (now - began.at) / 2
  }

  /** Whether a list of somebody else can be read after that; who wants to know at the same time, asks together. */
  isReadingAfter({ turn, user }: SuspectFailure): Asked<boolean> {
    return this.#isReading(turn, this.#userId ?? this.#options.another([user.userId]))
  }

  /** Fails where nobody else can be read after that. */
  readonly assertReadingAfter = Effect.fnUntraced({ self: this }, function* (suspect: SuspectFailure) {
    let other = this.#userId
    const asked = other === undefined ? [] : [other]
    while (!(yield* this.#isReading(suspect.turn, other))) {
      if (other === undefined || asked.length === mostAsked) return yield* Effect.fail(suspect.error)
      // What becomes of one user may become of a second one.
      other = this.#options.another([suspect.user.userId, ...asked]) ?? other
      asked.push(other)
    }
  })

  /** Fails where those who were read before are not registered any more than these, the last of whom was answered then. */
  assertRegistered(unregistered: ReadonlyArray<string>, turn: number): Asked<void, UsersVanished> {
    const ask = (userId: string, asked: ReadonlyArray<string>): Asked<void, UsersVanished> =>
      Effect.catchTag(this.#read(userId), "UserNotRegistered", () => {
        const next = this.#options.another([...unregistered, ...asked])
        return next === undefined || asked.length === mostAsked
          ? Effect.fail(new UsersVanished({ userId: asked[0] ?? userId, unregistered: unregistered.length }))
          : ask(next, [...asked, next])
      })
    return Effect.suspend(() =>
      this.#userId === undefined || this.#last.began > turn ? Effect.void : ask(this.#userId, [this.#userId])
    ).pipe(this.#one.withPermits(1))
  }

  /** Whether somebody's list has been read since, or that of another can be. What concerns everybody is a failure. */
  #isReading(since: number, other: string | undefined): Asked<boolean> {
    return Effect.gen({ self: this }, function* () {
      if (this.#last.began > since) return true
      if (other === undefined) return false
      const result = yield* Effect.result(this.#read(other))
      if (Result.isSuccess(result)) return true
      const error = result.failure
      if (ClientError.traits(error).concerns === "Everybody") return yield* Effect.fail(error)
      // Who was read before and is registered no longer has been answered, too. A stranger tells nothing of lists.
      return error._tag === "UserNotRegistered" && other === this.#userId
    }).pipe(this.#one.withPermits(1))
  }

  #read(userId: string): Asked<void> {
    return Effect.suspend(() => {
      const began = this.next()
      // As large a page as everybody's: a service that has too much to do may still have time for a small one.
      return Effect.map(probeList(userId, this.#options.pageSize), () => this.succeeded(userId, began))
    })
  }
}
