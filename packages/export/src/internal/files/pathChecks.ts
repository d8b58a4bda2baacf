/** Checks of the paths of an export: their real names, that they are apart from each other and from what it reads, their locks. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ExportSink from "../../ExportSink.ts"
import type * as Lock from "../../Lock.ts"
import type { FileInspector } from "./fileInspector.ts"

/** As many symbolic links are followed, one to the next: more of them go in a circle. */
const longestChain = 40

/** The file that a name leads to, whether or not it is there yet. */
export const follow = (
  inspector: FileInspector,
  name: string,
  left = longestChain
): Effect.Effect<string, ExportSink.OpenError> =>
  Effect.gen(function* () {
    const real = yield* inspector.realPath(name)
    if (Option.isSome(real)) return real.value
    const { basename, dirname, join, resolve } = inspector.path
    const folder = dirname(resolve(name))
    const entry = yield* inspector.lstat(name)
    if (Option.isSome(entry) && entry.value.type === "SymbolicLink") {
      if (left === 0)
        return yield* new ExportSink.OutputUnusable({ path: name, problem: "its symbolic links lead nowhere" })
      return yield* follow(inspector, resolve(folder, yield* inspector.readLink(name)), left - 1)
    }
    return join(
      Option.getOrElse(yield* inspector.realPath(folder), () => folder),
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
  inspector: FileInspector,
  written: Readonly<Record<string, string>>,
  inputs: ReadonlyArray<string> = []
) {
  const read: Array<readonly [string, string]> = []
  for (const input of inputs) read.push(["the input", yield* follow(inspector, input)])
  const seen = new Map<string, string>()
  for (const [role, path] of [...read, ...Object.entries(written)]) {
    const entry = yield* inspector.lstat(path)
    const id = Option.isSome(entry) ? entry.value.id : undefined
    for (const key of [path, ...(id === undefined ? [] : [`id ${id}`])]) {
      const other = seen.get(key)
      if (other !== undefined && other !== role) return yield* new ExportSink.SameFile({ path, roles: [other, role] })
      seen.set(key, role)
    }
  }
})

/** Refuses what is written in place and is a link, or has other names: writing would change another file. */
export const assertPlain = Effect.fnUntraced(function* (inspector: FileInspector, paths: ReadonlyArray<string>) {
  for (const path of paths) {
    const entry = yield* inspector.lstat(path)
    if (Option.isNone(entry)) continue
    const { names, type } = entry.value
    const refuse = (problem: string) => new ExportSink.OutputUnusable({ path, problem })
    if (type === "SymbolicLink") return yield* refuse("it is a symbolic link")
    if (type === "Other") return yield* refuse("it is not a regular file")
    if (names > 1) return yield* refuse("it has another name, a hard link: that file would change too")
  }
})
