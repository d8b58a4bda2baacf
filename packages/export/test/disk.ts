/**
 * A disk in memory that can fail at any step, as real ones do: what was not synced may be lost, in any part, when the
 * power goes; and a write may be cut short.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"

interface Inode {
  data: Uint8Array
  durable: Uint8Array
}

/** How a program ends: only it dies, or the whole machine does. */
export type Crash = "killed" | "powerCut"

export interface Plan {
  /** The step, from 1, in which it happens. */
  readonly at: number
  readonly how: Crash | "full"
  /** How much of what is unsure survives, from 0 to 1. */
  readonly survives: number
}

export class Crashed extends Error {}

const decoder = new TextDecoder()

const folders = ["/", "/logs"]
const folderOf = (path: string): string => (path.startsWith("/logs/") ? "/logs" : "/")

/** A change of names in a folder. */
interface Change {
  readonly folder: string
  readonly run: (entries: Map<string, Inode>) => void
}

export class Disk {
  #entries = new Map<string, Inode>(
    folders.map((path) => [path, { data: new Uint8Array(), durable: new Uint8Array() }])
  )
  #durableEntries = new Map(this.#entries)
  /** Changes of names that no sync has made last. */
  #unsynced: Array<Change> = []
  #plan: Plan | undefined
  #isDown = false
  /** Steps that changed something since the last start. */
  steps = 0
  /** Files that nobody may read. */
  readonly unreadable = new Set<string>()

  /** Starts the machine, or only the program, anew. */
  start(plan?: Plan): void {
    if (this.#isDown && this.#plan?.how === "powerCut") this.#lose(this.#plan.survives)
    this.#isDown = false
    this.#plan = plan
    this.steps = 0
  }

  text(path: string): string | undefined {
    const inode = this.#entries.get(path)
    return inode === undefined ? undefined : decoder.decode(inode.data)
  }

  put(path: string, text: string): void {
    const data = new TextEncoder().encode(text)
    const inode = { data, durable: data }
    this.#entries.set(path, inode)
    this.#durableEntries.set(path, inode)
  }

  remove(path: string): void {
    this.#entries.delete(path)
    this.#durableEntries.delete(path)
  }

  paths(): ReadonlyArray<string> {
    return [...this.#entries.keys()].filter((path) => !folders.includes(path))
  }

  #lose(survives: number): void {
    const entries = new Map(this.#durableEntries)
    const kept = Math.floor(survives * (this.#unsynced.length + 1))
    for (const { run } of this.#unsynced.slice(0, kept)) run(entries)
    for (const inode of new Set([...entries.values(), ...this.#entries.values()])) {
      const { data, durable } = inode
      let same = 0
      while (same < data.length && same < durable.length && data[same] === durable[same]) same++
      // Of what was written after the sync any beginning may have reached the disk; the rest is as it was.
      const until = same + Math.floor(survives * (data.length - same))
      inode.data = survives >= 1 ? data : new Uint8Array([...data.subarray(0, until), ...durable.subarray(until)])
      inode.durable = inode.data
    }
    this.#entries = entries
    this.#durableEntries = new Map(entries)
    this.#unsynced = []
  }

  /** A step that changes something. `partly` does a part of it. */
  #step(change: () => void, partly?: (share: number) => void): Effect.Effect<void, PlatformError.PlatformError> {
    return Effect.suspend(() => {
      if (this.#isDown) return Effect.die(new Crashed())
      this.steps++
      const plan = this.#plan
      if (plan?.how === "full" && this.steps >= plan.at) {
        partly?.(plan.survives)
        const cause = Object.assign(new Error("ENOSPC"), { code: "ENOSPC" })
        return Effect.fail(PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "write", cause }))
      }
      if (plan !== undefined && this.steps === plan.at) {
        partly?.(plan.survives)
        this.#isDown = true
        return Effect.die(new Crashed())
      }
      return Effect.sync(change)
    })
  }

  #look<A>(look: () => A): Effect.Effect<A, PlatformError.PlatformError> {
    return Effect.suspend(() => (this.#isDown ? Effect.die(new Crashed()) : Effect.sync(look)))
  }

  #read<A>(path: string, look: () => A): Effect.Effect<A, PlatformError.PlatformError> {
    return Effect.suspend(() =>
      this.unreadable.has(path)
        ? Effect.fail(
            PlatformError.systemError({
              _tag: "PermissionDenied",
              module: "FileSystem",
              method: "read",
              pathOrDescriptor: path,
              cause: Object.assign(new Error("EACCES"), { code: "EACCES" })
            })
          )
        : this.#look(look)
    )
  }

  #rename(folder: string, run: Change["run"]): Effect.Effect<void, PlatformError.PlatformError> {
    return this.#step(() => {
      run(this.#entries)
      this.#unsynced.push({ folder, run })
    })
  }

  #find(path: string): Effect.Effect<Inode, PlatformError.PlatformError> {
    return Effect.suspend(() => {
      const inode = this.#entries.get(path)
      return inode === undefined
        ? Effect.fail(
            PlatformError.systemError({
              _tag: "NotFound",
              module: "FileSystem",
              method: "open",
              pathOrDescriptor: path,
              cause: Object.assign(new Error("ENOENT"), { code: "ENOENT" })
            })
          )
        : Effect.succeed(inode)
    })
  }

  #file(inode: Inode, path: string): FileSystem.File {
    let position = 0
    const write = (bytes: Uint8Array) => {
      const end = Math.max(inode.data.length, position + bytes.length)
      const data = new Uint8Array(end)
      data.set(inode.data)
      data.set(bytes, position)
      inode.data = data
      position += bytes.length
    }
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: Effect.die("not asked for"),
      seek: (offset) => Effect.sync(() => BigInt((position = Number(offset)))),
      sync: this.#step(() => {
        if (folders.includes(path)) {
          for (const { folder, run } of this.#unsynced) if (folder === path) run(this.#durableEntries)
          this.#unsynced = this.#unsynced.filter(({ folder }) => folder !== path)
        } else {
          inode.durable = inode.data
        }
      }),
      read: (buffer, options) =>
        this.#read(path, () => {
          const from = Number(options?.position ?? position)
          const piece = inode.data.subarray(from, from + buffer.length)
          buffer.set(piece)
          return piece.length
        }),
      readAlloc: () => Effect.die("not asked for"),
      truncate: (length = 0) =>
        this.#step(() => {
          inode.data = inode.data.slice(0, length)
        }),
      write: () => Effect.die("not asked for"),
      writeAll: (bytes) =>
        this.#step(
          () => write(bytes),
          (share) => write(bytes.subarray(0, Math.floor(share * bytes.length)))
        )
    }
  }

  readonly fileSystem: FileSystem.FileSystem = FileSystem.makeNoop({
    stat: (path) =>
      Effect.flatMap(this.#find(path), ({ data }) =>
        this.#look(() => ({
          type: folders.includes(path) || path.endsWith("folder") ? "Directory" : "File",
          size: ByteSize.fromInputUnsafe(data.length),
          mtime: Option.none(),
          atime: Option.none(),
          birthtime: Option.none(),
          dev: 0n,
          ino: Option.none(),
          mode: 0,
          nlink: Option.none(),
          uid: Option.none(),
          gid: Option.none(),
          rdev: Option.none(),
          blksize: Option.none(),
          blocks: Option.none()
        }))
      ),
    readFileString: (path) =>
      Effect.flatMap(this.#find(path), ({ data }) => this.#read(path, () => decoder.decode(data))),
    rename: (from, to) =>
      Effect.flatMap(this.#find(from), () =>
        this.#rename(folderOf(from), (entries) => {
          const inode = entries.get(from)
          if (inode === undefined) return
          entries.delete(from)
          entries.set(to, inode)
        })
      ),
    open: (path, options) =>
      Effect.gen({ self: this }, function* () {
        if (options?.flag === "w") {
          const known = this.#entries.get(path)
          if (known === undefined) {
            const inode: Inode = { data: new Uint8Array(), durable: new Uint8Array() }
            yield* this.#rename(folderOf(path), (entries) => entries.set(path, inode))
          } else {
            yield* this.#step(() => (known.data = new Uint8Array()))
          }
        }
        const inode = yield* this.#find(path)
        return this.#file(inode, path)
      })
  })
}
