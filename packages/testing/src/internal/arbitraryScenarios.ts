/** Scenarios to draw: what they are made of, in a form that is easy to make smaller, and what becomes of it. */
import { DocumentationReading, World } from "@effect-zim/emulator"
import type { Conversation } from "@effect-zim/protocol"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as FaultSchedule from "../FaultSchedule.ts"
import { Scenario } from "../Scenario.ts"
import { TestWorld } from "../TestWorld.ts"
import * as InWords from "./textForPeople.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Literals are finite. */
const forever = 1_000_000

const typeCodes = { group: 2, peer: 0, "peer without ConvType": undefined, room: 1, community: 3, unknown: 99 } as const

/** How an entry of a list differs from the one before it. */
export const Step = Schema.Struct({
  type: Schema.Literals(Struct.keys(typeCodes)),
  /** Later by so many milliseconds: often at the same time. */
  later: Schema.Literals([60_000, 0, 1, 0]),
  /** The same id as the entry before: the type alone tells them apart. */
  sameId: Schema.Literals([false, false, false, true])
})
type Step = typeof Step.Type

const plain: Step = { type: "group", later: 60_000, sameId: false }

/** Where paging has its edges: around the page sizes that are usual, and around the 1000 that are in reach. */
const edges = [99, 100, 101, 200, 499, 500, 501, 999, 1000, 1001, 1203]

/** Usually short, sometimes at an edge, and anything else now and then. */
const lengthUpTo = (maximum: number) =>
  Schema.Union([
    between(0, Math.min(5, maximum)),
    between(0, Math.min(60, maximum)),
    Schema.Literals([maximum, ...edges.filter((edge) => edge < maximum)]),
    between(0, maximum)
  ])

/** The most conversations of a list, unless told otherwise: some more than are in reach. */
export const mostConversations = 1250

export const Length = lengthUpTo(mostConversations)

export const User = Schema.Struct({
  registered: Schema.Literals([true, true, true, true, true, false]),
  /** Put after the user's number, so that every legal character occurs. */
  suffix: Schema.Union([
    Schema.Literals(["", "", ""]),
    Schema.String.check(Schema.isPattern(/^[0-9A-Za-z!#$%&()+\-:;<=.>?@[\]^_ {}|~]{1,29}$/))
  ]),
  length: Length,
  /** The entries of the list follow these steps, again and again. */
  steps: Schema.Array(Step).check(Schema.isMaxLength(5))
})
type User = typeof User.Type

/** Longer than the patience of a usual retry policy, unless told otherwise. */
export const mostTimes = 9

const troubleOf = (most: number, ending: boolean) => {
  const times = [1, 1, 2, 3, 4].filter((times) => times < most)
  return Schema.Struct({
    user: between(0, 2),
    call: between(1, 4),
    times: Schema.Literals([...times, most, ...(ending ? [] : [forever, forever])]),
    trouble: Schema.Literals(ending ? FaultSchedule.passing : [...FaultSchedule.passing, ...FaultSchedule.lasting])
  })
}

type TroubleOf = ReturnType<typeof troubleOf>["Type"]

export const AnyReading = Schema.Struct({
  ...DocumentationReading.DocumentationReading.fields,
  order: Schema.Literals(["AcrossPages", "AcrossPages", "WithinPages"])
})

export const schema = (options: {
  readonly users: number
  readonly conversations: number
  readonly troubles: number
  readonly times: number
  readonly ending: boolean
}) =>
  Schema.Struct({
    users: Schema.Array(Schema.Struct({ ...User.fields, length: lengthUpTo(options.conversations) })).check(
      Schema.isMinLength(1),
      Schema.isMaxLength(options.users)
    ),
    troubles: Schema.Array(troubleOf(options.times, options.ending)).check(Schema.isMaxLength(options.troubles)),
    reading: AnyReading,
    seed: between(0, 9999)
  })

export type ScenarioParts = ReturnType<typeof schema>["Type"]

// ---- smaller ----

/** Nothing, then nearer and nearer to the number itself. */
const smaller = (n: number, least = 0): ReadonlyArray<number> => {
  const found = new Set<number>([least])
  for (let gap = n - least; gap >= 1; gap = Math.floor(gap / 2)) {
    const candidate = n - gap
    if (candidate > least && candidate < n) found.add(candidate)
  }
  return n > least ? [...found] : []
}

/** One item alone, or without one. */
const fewer = <A>(items: ReadonlyArray<A>, least: number): ReadonlyArray<ReadonlyArray<A>> => [
  ...(least === 0 && items.length > 1 ? [[]] : []),
  ...(items.length > 2 ? items.map((item) => [item]) : []),
  ...(items.length > least ? items.map((_, i) => items.toSpliced(i, 1)) : [])
]

const smallerUser = (user: User): ReadonlyArray<User> => [
  ...(user.suffix === "" ? [] : [{ ...user, suffix: "" }]),
  ...(user.steps.length === 0 ? [] : [{ ...user, steps: [] }]),
  ...smaller(user.length).map((length) => ({ ...user, length })),
  ...fewer(user.steps, 1).map((steps) => ({ ...user, steps })),
  ...user.steps.flatMap((step, i) =>
    [
      ...(step.type === plain.type ? [] : [{ ...step, type: plain.type }]),
      ...(step.later === plain.later ? [] : [{ ...step, later: plain.later }]),
      ...(step.sameId ? [{ ...step, sameId: false }] : [])
    ].map((simpler) => ({ ...user, steps: user.steps.with(i, simpler) }))
  ),
  ...(user.registered ? [] : [{ ...user, registered: true }])
]

const smallerTrouble = (trouble: TroubleOf): ReadonlyArray<TroubleOf> => [
  ...(trouble.user === 0 ? [] : [{ ...trouble, user: 0 }]),
  ...[1, 2, 3, 4].filter((times) => times < trouble.times).map((times) => ({ ...trouble, times })),
  ...(trouble.call === 1 ? [] : [{ ...trouble, call: trouble.call - 1 }]),
  ...(trouble.trouble === "660300005" || trouble.trouble === "660800053" || trouble.trouble === "page of 1"
    ? []
    : [
        { ...trouble, trouble: "660300005" as const },
        { ...trouble, trouble: "660800053" as const }
      ])
]

/** Who is left keeps his troubles. */
const withoutUser = (parts: ScenarioParts, index: number): ScenarioParts => ({
  ...parts,
  users: parts.users.toSpliced(index, 1),
  troubles: parts.troubles
    .filter(({ user }) => user % parts.users.length !== index)
    .map((trouble) => {
      const user = trouble.user % parts.users.length
      return { ...trouble, user: user > index ? user - 1 : user }
    })
})

/** Without one trouble, and without the calls that it makes necessary: the others of its user come earlier. */
const withoutTrouble = (troubles: ReadonlyArray<TroubleOf>, index: number): ReadonlyArray<TroubleOf> => {
  const { call = 0, times = 0, user } = troubles[index] ?? {}
  return troubles
    .toSpliced(index, 1)
    .map((trouble) =>
      trouble.user === user && trouble.call > call ? { ...trouble, call: Math.max(1, trouble.call - times) } : trouble
    )
}

/** Ways to make parts smaller, the most promising first. */
const ways: ReadonlyArray<(parts: ScenarioParts) => ReadonlyArray<ScenarioParts>> = [
  (parts) => (parts.users.length > 1 ? parts.users.map((_, i) => withoutUser(parts, i)) : []),
  (parts) =>
    [...fewer(parts.troubles, 0), ...parts.troubles.map((_, i) => withoutTrouble(parts.troubles, i))].map(
      (troubles) => ({ ...parts, troubles })
    ),
  (parts) => (parts.seed === 0 ? [] : [{ ...parts, seed: 0 }]),
  (parts) =>
    Equal.equals(parts.reading, DocumentationReading.standard)
      ? []
      : [{ ...parts, reading: DocumentationReading.standard }],
  (parts) =>
    parts.troubles.flatMap((trouble, i) =>
      smallerTrouble(trouble).map((simpler) => ({ ...parts, troubles: parts.troubles.with(i, simpler) }))
    ),
  (parts) =>
    parts.users.flatMap((user, i) =>
      smallerUser(user).map((simpler) => ({ ...parts, users: parts.users.with(i, simpler) }))
    )
]

// By which way a parts became what it is. Those before it have just been tried on its like: they come last.
const reachedBy = new WeakMap<ScenarioParts, number>()

/**
 * The next smaller parts, the most promising first: a check looks at a hundred of them in all unless told otherwise.
 */
export const shrink = (parts: ScenarioParts): ReadonlyArray<ScenarioParts> => {
  const first = reachedBy.get(parts) ?? 0
  return ways.flatMap((_, i) => {
    const index = (first + i) % ways.length
    const smaller = ways[index]?.(parts) ?? []
    for (const candidate of smaller) reachedBy.set(candidate, index)
    return smaller
  })
}

// ---- what becomes of it ----

/** The time of the oldest conversation: the end of 2023. */
const oldest = 1_704_000_000_000

/** A list of this length whose entries follow the steps. */
export const conversations = (length: number, steps: ReadonlyArray<Step>): ReadonlyArray<Conversation.Wire> => {
  const list: Array<Conversation.Wire> = []
  const known = new Set<string>()
  let time = oldest
  let id = 0
  for (let i = 0; i < length; i++) {
    const step = steps[i % steps.length] ?? plain
    time += step.later
    const type = typeCodes[step.type]
    const of = (id: number): Conversation.Wire => ({
      ConvId: String(id),
      ...(type === undefined ? {} : { ConvType: type }),
      UpdateTime: time
    })
    const entry = step.sameId && id > 0 && !known.has(InWords.conversation(of(id))) ? of(id) : of(++id)
    known.add(InWords.conversation(entry))
    list.push(entry)
  }
  return list
}

/** The app of every world of this package: the vendor's published test vector. */
const app = { appId: 12345, serverSecret: "9193cc662a4c0ec135ec71fb57194b38" }

/** The scenario of these parts. */
export const scenario = ({ reading, seed, troubles, users }: ScenarioParts): Scenario => {
  const named = users.map((user, i) => ({ ...user, userId: `u${i + 1}${user.suffix}` }))
  const world = World.make({
    apps: [app],
    users: named
      .filter(({ registered }) => registered)
      .map(({ length, steps, userId }) => ({ userId, conversations: conversations(length, steps) }))
  })
  const strangers = named.filter(({ registered }) => !registered).map(({ userId }) => userId)
  const lines = troubles.map(({ call, times, trouble, user }) => ({
    userId: named[user % named.length]?.userId ?? "u1",
    call,
    times: times === forever ? Infinity : times,
    trouble
  }))
  return new Scenario({ world: new TestWorld(world, strangers), faults: FaultSchedule.make(lines), reading, seed })
}
