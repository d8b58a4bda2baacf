/**
 * A disk in memory that can fail at any step, as real ones do: what was not synced may be lost, in any part, when the
 * power goes; and a write may be cut short.
 */
import { Lock, ExportSink } from "@effect-zim/export"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import { posix } from "node:path"

const fail = (_tag: PlatformError.SystemErrorTag, code: string, path: string) =>
  Effect.fail(
    PlatformError.systemError({
      _tag,
      module: "FileSystem",
      method: "open",
      pathOrDescriptor: path,
      cause: Object.assign(new Error(code), { code })
    })
  )

interface Inode {
  readonly number: bigint
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

let inodes = 0n

const inodeOf = (data = new Uint8Array()): Inode => ({ number: ++inodes, data, durable: data })

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const folders = ["/", "/logs"]
const folderOf = (path: string): string => (path.startsWith("/logs/") ? "/logs" : "/")

/** A change of names in a folder. */
interface Change {
  readonly folder: string
  readonly run: (entries: Map<string, Inode>) => unknown
}

export class Disk {
  #entries = new Map<string, Inode>(folders.map((path) => [path, inodeOf()]))
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
    const inode = inodeOf(new TextEncoder().encode(text))
    this.#entries.set(path, inode)
    this.#durableEntries.set(path, inode)
  }

  /** Changes a file in place. */
  edit(path: string, edit: (text: string) => string): void {
    const inode = this.#entries.get(path)
    if (inode !== undefined) inode.data = new TextEncoder().encode(edit(decoder.decode(inode.data)))
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
      this.unreadable.has(path) ? fail("PermissionDenied", "EACCES", path) : this.#look(look)
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
      return inode === undefined ? fail("NotFound", "ENOENT", path) : Effect.succeed(inode)
    })
  }

  #info(path: string, { data, number }: Inode): FileSystem.File.Info {
    return {
      type: folders.includes(path) || path.endsWith("folder") ? "Directory" : "File",
      size: ByteSize.fromInputUnsafe(data.length),
      mtime: Option.none(),
      atime: Option.none(),
      birthtime: Option.none(),
      dev: 0n,
      ino: Option.some(number),
      mode: 0,
      nlink: Option.some(1n),
      uid: Option.none(),
      gid: Option.none(),
      rdev: Option.none(),
      blksize: Option.none(),
      blocks: Option.none()
    }
  }

  #lstat(path: string): Effect.Effect<FileSystem.File.Info, PlatformError.PlatformError> {
    return Effect.flatMap(this.#find(path), (inode) => this.#look(() => this.#info(path, inode)))
  }

  #file(inode: Inode, path: string, isAppending: boolean): FileSystem.File {
    let position = 0
    const write = (bytes: Uint8Array) => {
      if (isAppending) position = inode.data.length
      const end = Math.max(inode.data.length, position + bytes.length)
      const data = new Uint8Array(end)
      data.set(inode.data)
      data.set(bytes, position)
      inode.data = data
      position += bytes.length
    }
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: this.#look(() => this.#info(path, inode)),
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
    lstat: (path) => this.#lstat(path),
    // It has no links.
    stat: (path) => this.#lstat(path),
    realPath: (path) => this.#look(() => posix.normalize(path)),
    remove: (path) =>
      this.#entries.has(path)
        ? this.#rename(folderOf(path), (entries) => entries.delete(path))
        : this.#look(() => undefined),
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
        const flag = options?.flag ?? "r"
        if (flag.includes("x")) {
          if (this.#entries.has(path)) return yield* fail("AlreadyExists", "EEXIST", path)
          const inode = inodeOf()
          yield* this.#rename(folderOf(path), (entries) => entries.set(path, inode))
        }
        const inode = yield* this.#find(path)
        return this.#file(inode, path, flag.includes("a"))
      })
  })

  readonly #held = new Set<string>()

  /** Locks of its files: no other process sees them. */
  readonly acquire: Lock.Acquire = (path) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        if (this.#held.has(path)) return Effect.fail(new ExportSink.OutputInUse({ path: path.replace(/\.lock$/, "") }))
        this.#held.add(path)
        return Effect.succeed(Effect.void)
      }),
      () => Effect.sync(() => this.#held.delete(path))
    )

  readonly layer = Layer.mergeAll(
    Layer.succeed(FileSystem.FileSystem, this.fileSystem),
    Layer.succeed(Lock.Lock, this.acquire),
    Path.layer
  )
}
