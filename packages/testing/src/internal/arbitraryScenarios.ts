/** Scenarios to draw: what they are made of, in a form that is easy to make smaller, and what becomes of it. */
import { DocumentationReading, World } from "@effect-zim/emulator"
import type { Conversation } from "@effect-zim/protocol"
import * as Arbitrary from "effect/Arbitrary"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as FaultSchedule from "../FaultSchedule.ts"
import { Scenario } from "../Scenario.ts"
import { TestWorld } from "../TestWorld.ts"
import { atLeast } from "./inRange.ts"
import * as InWords from "./textForPeople.ts"

/**
 * How much there is to draw from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The most users, default 3. */
  readonly users?: number | undefined
  /** The most conversations of a user, default 1250. Fewer make for quicker tests, where the pages are small too. */
  readonly conversations?: number | undefined
  /** The most troubles, default 4. */
  readonly troubles?: number | undefined
  /**
   * The most calls in a row that a trouble happens to, if it ends: 1 or more, default 9. Several troubles may come one
   * after the other.
   */
  readonly times?: number | undefined
}

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
const mostConversations = 1250

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

// The times are longer than the patience of a usual retry policy.
const partsOf = (
  { conversations = mostConversations, times = 9, troubles = 4, users = 3 }: Options,
  ending: boolean
) => {
  const length = lengthUpTo(atLeast("the number of conversations", 0, conversations))
  return Schema.Struct({
    users: Schema.Array(Schema.Struct({ ...User.fields, length })).check(
      Schema.isMinLength(1),
      Schema.isMaxLength(atLeast("the number of users", 1, users))
    ),
    troubles: Schema.Array(troubleOf(atLeast("the times of a trouble", 1, times), ending)).check(
      Schema.isMaxLength(atLeast("the number of troubles", 0, troubles))
    ),
    reading: AnyReading,
    seed: between(0, 9999)
  })
}

type ScenarioParts = ReturnType<typeof partsOf>["Type"]

// ---- smaller ----

/** Nothing, then nearer and nearer to the number itself. */
const smaller = (n: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let gap = n; gap >= 1; gap = Math.floor(gap / 2)) found.push(n - gap)
  return found
}

/** The same with these fields, unless it has them. */
const plainer = <A extends object>(parts: A, fields: NoInfer<Partial<A>>): ReadonlyArray<A> => {
  const candidate = { ...parts, ...fields }
  return Equal.equals(candidate, parts) ? [] : [candidate]
}

/** One item smaller. */
const oneOf = <A>(
  items: ReadonlyArray<A>,
  smallerItem: (item: A) => ReadonlyArray<A>
): ReadonlyArray<ReadonlyArray<A>> =>
  items.flatMap((item, i) => smallerItem(item).map((simpler) => items.with(i, simpler)))

/** One item alone, or without one. */
const fewer = <A>(items: ReadonlyArray<A>, least: number): ReadonlyArray<ReadonlyArray<A>> => [
  ...(least === 0 && items.length > 1 ? [[]] : []),
  ...(items.length > 2 ? items.map((item) => [item]) : []),
  ...(items.length > least ? items.map((_, i) => items.toSpliced(i, 1)) : [])
]

const smallerStep = (step: Step): ReadonlyArray<Step> =>
  Struct.keys(plain).flatMap((field) => plainer(step, Struct.pick(plain, [field])))

const smallerUser = (user: User): ReadonlyArray<User> => [
  ...plainer(user, { suffix: "" }),
  ...plainer(user, { steps: [] }),
  ...smaller(user.length).map((length) => ({ ...user, length })),
  ...fewer(user.steps, 1).map((steps) => ({ ...user, steps })),
  ...oneOf(user.steps, smallerStep).map((steps) => ({ ...user, steps })),
  ...plainer(user, { registered: true })
]

/** The plainest troubles: the first two take the place of others. */
const plainest: ReadonlyArray<FaultSchedule.Trouble> = FaultSchedule.passing.slice(0, 3)

const smallerTrouble = (trouble: TroubleOf): ReadonlyArray<TroubleOf> => [
  ...plainer(trouble, { user: 0 }),
  ...[1, 2, 3, 4].filter((times) => times < trouble.times).map((times) => ({ ...trouble, times })),
  ...(trouble.call === 1 ? [] : [{ ...trouble, call: trouble.call - 1 }]),
  ...(plainest.includes(trouble.trouble) ? [] : plainest.slice(0, 2).map((plain) => ({ ...trouble, trouble: plain })))
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
  (parts) => plainer(parts, { seed: 0 }),
  (parts) => plainer(parts, { reading: DocumentationReading.standard }),
  (parts) => oneOf(parts.troubles, smallerTrouble).map((troubles) => ({ ...parts, troubles })),
  (parts) => oneOf(parts.users, smallerUser).map((users) => ({ ...parts, users }))
]

// By which way a parts became what it is. Those before it have just been tried on its like: they come last.
const reachedBy = new WeakMap<ScenarioParts, number>()

/**
 * The next smaller parts, the most promising first: a check looks at a hundred of them in all unless told otherwise.
 */
const shrink = (parts: ScenarioParts): ReadonlyArray<ScenarioParts> => {
  const first = reachedBy.get(parts) ?? 0
  return ways.flatMap((_, i) => {
    const index = (first + i) % ways.length
    const smaller = ways[index]?.(parts) ?? []
    for (const candidate of smaller) reachedBy.set(candidate, index)
    return smaller
  })
}

/** Parts to draw. Where they are `ending`, every trouble passes. */
export const parts = (options: Options = {}, ending: boolean): Arbitrary.Arbitrary<ScenarioParts> =>
  Arbitrary.schema(partsOf(options, ending), { shrink })

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
