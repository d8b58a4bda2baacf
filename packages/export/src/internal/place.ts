/** Where an export writes: the real names of its files, which must be apart from each other and from what it reads. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type * as Lock from "../Lock.ts"
import * as Sink from "../Sink.ts"

/** What a name stands for, without following it where it is a symbolic link. */
export interface Entry {
  readonly type: "File" | "SymbolicLink" | "Other"
  /** Of the file itself, whatever its name; none where the system has no such thing. */
  readonly id: string | undefined
  /** How many names the file has. */
  readonly names: number
  readonly size: number
}

/** A file system, as far as it must be looked at. */
export interface Look {
  readonly lstat: (path: string) => Effect.Effect<Option.Option<Entry>, Sink.SinkFailed>
  readonly readLink: (path: string) => Effect.Effect<string, Sink.SinkFailed>
  /** None where there is nothing. */
  readonly realPath: (path: string) => Effect.Effect<Option.Option<string>>
  readonly path: Pick<Path.Path, "basename" | "dirname" | "join" | "resolve">
}

/** As many symbolic links are followed, one to the next: more of them go in a circle. */
const longestChain = 40

/** The file that a name leads to, whether or not it is there yet. */
export const follow = (look: Look, name: string, left = longestChain): Effect.Effect<string, Sink.OpenError> =>
  Effect.gen(function* () {
    const real = yield* look.realPath(name)
    if (Option.isSome(real)) return real.value
    const { basename, dirname, join, resolve } = look.path
    const folder = dirname(resolve(name))
    const entry = yield* look.lstat(name)
    if (Option.isSome(entry) && entry.value.type === "SymbolicLink") {
      if (left === 0) return yield* new Sink.OutputUnusable({ path: name, problem: "its symbolic links lead nowhere" })
      return yield* follow(look, resolve(folder, yield* look.readLink(name)), left - 1)
    }
    return join(
      Option.getOrElse(yield* look.realPath(folder), () => folder),
      basename(name)
    )
  })

/** What the names of an export's own files end with, beside its output. */
const endings =
  /(?<=[^/\\])(?:\.part|\.checkpoint(?:\.tmp)?|\.failures\.ndjson|\.new|-wal|-shm|-journal|\.lock(?:\.json)?)$/

/** The lock of a file that an export writes: that of the output whose companion it would be. */
export const lockOf = (path: string): string =>
  endings.test(path) ? lockOf(path.replace(endings, "")) : `${path}.lock`

/** The names of the locks' own files. */
export const filesOfLocks = (locks: Iterable<string>): Record<string, string> =>
  Object.fromEntries(
    [...locks].flatMap((lock) => [
      [`the lock ${lock}`, lock],
      [`the owner of the lock ${lock}`, `${lock}.json`]
    ])
  )

/** Takes all of them until the scope ends, and returns what tells whether they are still held. */
export const lockAll = Effect.fnUntraced(function* (acquire: Lock.Acquire, locks: Iterable<string>) {
  return Effect.all(yield* Effect.forEach(locks, acquire), { discard: true })
})

/** Refuses one file that has two parts, by whatever name. The names must be real. */
export const assertApart = Effect.fnUntraced(function* (
  look: Look,
  written: Readonly<Record<string, string>>,
  inputs: ReadonlyArray<string> = []
) {
  const read: Array<readonly [string, string]> = []
  for (const input of inputs) read.push(["the input", yield* follow(look, input)])
  const seen = new Map<string, string>()
  for (const [role, path] of [...read, ...Object.entries(written)]) {
    const entry = yield* look.lstat(path)
    const id = Option.isSome(entry) ? entry.value.id : undefined
    for (const key of [path, ...(id === undefined ? [] : [`id ${id}`])]) {
      const other = seen.get(key)
      if (other !== undefined && other !== role) return yield* new Sink.SameFile({ path, roles: [other, role] })
      seen.set(key, role)
    }
  }
})

/** Refuses what is written in place and is a link, or has other names: writing would change another file. */
export const assertPlain = Effect.fnUntraced(function* (look: Look, paths: ReadonlyArray<string>) {
  for (const path of paths) {
    const entry = yield* look.lstat(path)
    if (Option.isNone(entry)) continue
    const { names, type } = entry.value
    const refuse = (problem: string) => new Sink.OutputUnusable({ path, problem })
    if (type === "SymbolicLink") return yield* refuse("it is a symbolic link")
    if (type === "Other") return yield* refuse("it is not a regular file")
    if (names > 1) return yield* refuse("it has another name, a hard link: that file would change too")
  }
})

/** What somebody has done to a file since it was seen last, if anything. A log of SQLite may have grown. */
export const meddlingOf = (
  now: Option.Option<Entry>,
  { id, size }: Pick<Entry, "id" | "size">,
  mayGrow = false
): string | undefined => {
  if (Option.isNone(now)) return "it has been removed or moved while the export was writing"
  if (now.value.type !== "File" || now.value.id !== id) return "it has been replaced while the export was writing"
  return now.value.size === size || (mayGrow && now.value.size > size)
    ? undefined
    : `it has ${now.value.size} bytes, where the export had written ${size}`
}
