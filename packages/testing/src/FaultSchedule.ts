/**
 * Which call of which user goes wrong, and how: faults of the emulator that print as lines a person understands, such
 * as `call 3 of user u1: 660300005`.
 */
import { Fault } from "@effect-zim/emulator"
import { atLeast } from "./internal/inRange.ts"
import * as InWords from "./internal/textForPeople.ts"

/** A short page: right, but with fewer conversations than were asked for. */
const shortPage = "page of 1"

/** After these the same call, made again, can succeed; a `page of 1` needs no second call. The plainest first. */
const passingFaults = [
  ["660300005", Fault.returnCode(660300005)],
  ["660800053", Fault.returnCode(660800053)],
  [shortPage, undefined],
  ["connection reset", Fault.connectionReset],
  ["1", Fault.returnCode(1)],
  ["answer lost", Fault.answerLost],
  ["no answer", Fault.hang],
  ["7", Fault.returnCode(7)],
  ["660000001", Fault.returnCode(660000001)],
  ["660000003", Fault.returnCode(660000003)],
  ["105001", Fault.returnCode(105001)],
  ["100000015", Fault.returnCode(100000015)],
  ["body cut off", Fault.truncatedBody],
  ["body stops halfway", Fault.hangingBody],
  ["HTTP 429", Fault.httpStatus(429)],
  ["HTTP 502", Fault.httpStatus(502)],
  ["HTTP 503", Fault.httpStatus(503)],
  ["not JSON", Fault.notJson],
  ["empty body", Fault.emptyBody],
  ["answer after 9 s", Fault.latency("9 seconds")],
  ["answer after 11 s", Fault.latency("11 seconds")],
  ["slow body", Fault.slowBody({ bytes: 16, every: "100 millis" })],
  ["text/html", Fault.wrongContentType]
] as const

/** These a call made again does not cure, or they lead astray. */
const lastingFaults = [
  ["cursor that leads in a circle", Fault.cyclingCursor(2)],
  ["cursor of text", Fault.nextCursor("next")],
  ["redirect", Fault.redirect()]
] as const

/**
 * Troubles after which the same call, made again, can succeed; a `page of 1` needs no second call.
 *
 * @category constants
 * @since 0.1.0
 */
export const passing: ReadonlyArray<(typeof passingFaults)[number][0]> = passingFaults.map(([trouble]) => trouble)

/**
 * Troubles that a call made again does not cure, or that lead astray.
 *
 * @category constants
 * @since 0.1.0
 */
export const lasting: ReadonlyArray<(typeof lastingFaults)[number][0]> = lastingFaults.map(([trouble]) => trouble)

/**
 * What can go wrong with a call:
 *
 * - a return code, by its number
 * - `page of 1`: the answer is right, but has one conversation although more were asked for and there are more. The
 *   documentation promises no length: only `Next` says whether the list goes on.
 * - the others are faults of `Fault` in `@effect-zim/emulator`.
 *
 * @category models
 * @since 0.1.0
 */
export type Trouble = (typeof passing | typeof lasting)[number]

const faults = new Map<Trouble, Fault.Fault | undefined>([...passingFaults, ...lastingFaults])

/**
 * Some calls of a user, counted from 1, and what goes wrong with them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Line {
  readonly userId: string
  readonly trouble: Trouble
  /** The first call that it happens to, from 1; every attempt counts. */
  readonly call: number
  /** To how many calls in a row it happens: 1 or more, `Infinity` for ever. Default 1. */
  readonly times?: number | undefined
}

const callsOf = ({ call, times = 1 }: Line): string => {
  if (times === Infinity) return call === 1 ? "every call" : `every call from call ${call} on`
  return times === 1 ? `call ${call}` : `calls ${call} to ${call + times - 1}`
}

const happensAt = ({ call, times = 1 }: Line, nth: number): boolean => nth >= call && nth < call + times

/** Holds for these calls of the user, by a count of its own that starts with the emulator. */
const conditionOf = ({ call, times = 1, userId }: Line): Fault.Condition => {
  const from = Fault.user(userId).pipe(Fault.and(Fault.not(Fault.first(call - 1))))
  return times === Infinity ? from : Fault.and(from, Fault.first(times))
}

/**
 * A schedule of faults. Prints as one line per trouble.
 *
 * @example
 * ```ts
 * import { FaultSchedule } from "@effect-zim/testing"
 *
 * const schedule = FaultSchedule.make([{ userId: "u1", call: 3, trouble: "660300005" }])
 * console.log(String(schedule)) // call 3 of user u1: 660300005
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export class FaultSchedule extends InWords.InWords {
  readonly lines: ReadonlyArray<Line>

  constructor(lines: ReadonlyArray<Line>) {
    super()
    for (const { call, times = 1 } of lines) {
      atLeast("the call of a trouble", 1, call)
      if (times !== Infinity) atLeast("the times of a trouble", 1, times)
    }
    this.lines = lines
  }

  /** Whether every trouble passes. */
  get ends(): boolean {
    return this.lines.every(({ times }) => times !== Infinity)
  }

  /** The emulator's faults. A `page of 1` is none of them: `ZimTest.layer` sees to it. */
  get faults(): ReadonlyArray<Fault.Fault> {
    return this.lines.flatMap((line) => {
      const fault = faults.get(line.trouble)
      return fault === undefined ? [] : [Fault.when(fault, conditionOf(line))]
    })
  }

  /** Whether the nth call of a user, from 1, is answered with a short page. */
  isShort(userId: string, nth: number): boolean {
    return this.lines.some((line) => line.trouble === shortPage && line.userId === userId && happensAt(line, nth))
  }

  override toString(): string {
    if (this.lines.length === 0) return "no faults"
    return this.lines.map((line) => `${callsOf(line)} of user ${line.userId}: ${line.trouble}`).join("\n")
  }
}

/**
 * Makes a schedule of its lines. Throws a `RangeError` where a number is out of its range.
 *
 * @example
 * ```ts
 * import { FaultSchedule } from "@effect-zim/testing"
 *
 * const schedule = FaultSchedule.make([{ userId: "u1", call: 3, trouble: "no answer" }])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (lines: ReadonlyArray<Line>): FaultSchedule => new FaultSchedule(lines)

/**
 * Nothing goes wrong.
 *
 * @category constants
 * @since 0.1.0
 */
export const none: FaultSchedule = make([])
