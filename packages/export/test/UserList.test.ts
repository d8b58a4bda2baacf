import { UserList } from "@effect-zim/export"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { gzipSync, zstdCompressSync } from "node:zlib"

const encoder = new TextEncoder()

const readBytes = (bytes: Uint8Array, size: number) => {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size))
  return Stream.runCollect(UserList.lines(Stream.fromIterable(pieces)))
}

const read = (text: string, size: number) => readBytes(encoder.encode(text), size)

/** A file of the test's own. */
const written = (content: string | Uint8Array) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-users-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    ),
    (folder) => {
      const path = join(folder, "users.txt")
      writeFileSync(path, content)
      return { folder, path }
    }
  )

const line = Schema.Literals(["ada", "", "grace hopper", "群", "x".repeat(40), "tab\tbed", " "])
const end = Schema.Literals(["\n", "\r\n"])

describe("UserList", () => {
  it.effect.prop(
    "has the lines of the text, however it is cut into pieces",
    {
      lines: Arbitrary.array(Arbitrary.schema(Schema.Struct({ line, end })), { maxLength: 12 }),
      last: Arbitrary.schema(line),
      mark: Arbitrary.schema(Schema.Boolean),
      size: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })))
    },
    ({ last, lines, mark, size }) =>
      Effect.gen(function* () {
        const text = `${mark ? "\uFEFF" : ""}${lines.map(({ end, line }) => line + end).join("")}${last}`
        const expected = [...lines.map(({ line }) => line), ...(last === "" ? [] : [last])]
        assert.deepStrictEqual(yield* read(text, size), expected)
      }),
    { arbitrary: { seed: 4, runs: 200 } }
  )

  it.effect("a line that never ends does not fill the memory, and is too long", () =>
    Effect.gen(function* () {
      const piece = encoder.encode("x".repeat(1_000_000))
      const endless = Stream.concat(
        Stream.fromIterable(Array.from({ length: 300 }, () => piece)),
        Stream.make(encoder.encode("\nada"))
      )
      const lines = yield* Stream.runCollect(UserList.lines(endless))
      assert.strictEqual(lines.length, 2)
      assert.isAtMost(lines[0]?.length ?? 0, 1024)
      assert.strictEqual(Option.getOrUndefined(UserList.check(lines[0] ?? ""))?.error, "UserIdInvalid")
      assert.strictEqual(lines[1], "ada")
    })
  )

  it("check says what is wrong with a line", () => {
    const problem = (line: string) => Option.getOrUndefined(UserList.check(line))
    assert.isUndefined(problem("user-42"))
    assert.isUndefined(problem("x".repeat(32)))
    assert.deepStrictEqual(problem(""), { error: "BlankLine", message: "the line is blank" })
    assert.include(problem("x".repeat(33))?.message, "at most 32 characters")
    assert.include(problem("a/b")?.message, '"/" (U+002F), found at position 2')
    assert.include(problem("\uFEFFada")?.message, "U+FEFF")
    assert.include(problem("\uFFFD")?.message, "U+FFFD")
  })

  it.effect("a file that is not there, is a folder, or vanishes half-way is a typed error", () =>
    Effect.gen(function* () {
      const { folder, path } = yield* written("ada\n")
      const unreadable = (path: string) => Effect.flip(Stream.runDrain(UserList.file(path)))
      const said = (path: string, problem: string) => `cannot read the users file ${path}: ${problem}`
      assert.strictEqual((yield* unreadable(`${path}0`)).message, said(`${path}0`, "no such file or folder"))
      assert.strictEqual((yield* unreadable(folder)).message, said(folder, "it is a folder"))
      const fs = yield* FileSystem.FileSystem
      const failure = PlatformError.systemError({
        _tag: "Unknown",
        module: "FileSystem",
        method: "read",
        pathOrDescriptor: path,
        cause: Object.assign(new Error("EIO"), { code: "EIO" })
      })
      const error = yield* Effect.provideService(unreadable(path), FileSystem.FileSystem, {
        ...fs,
        open: (path, options) =>
          Effect.map(fs.open(path, options), (file) => ({
            ...file,
            stat: file.stat,
            readAlloc: () => Effect.fail(failure)
          }))
      })
      assert.deepInclude(
        { ...error, message: error.message },
        { message: said(path, "the device failed"), reason: { _tag: "Unreadable" } }
      )
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf16le"))
const swapped = (bytes: Uint8Array): Uint8Array => new Uint8Array(Buffer.from(bytes).swap16())
const utf32 = (text: string): Uint8Array =>
  new Uint8Array(Array.from(text, (c) => c.codePointAt(0) ?? 0).flatMap((c) => [c & 255, (c >> 8) & 255, c >> 16, 0]))
const backwards = (bytes: Uint8Array): Uint8Array => new Uint8Array(Buffer.from(bytes).swap32())

const database = (path: string): Uint8Array => {
  const database = new DatabaseSync(path)
  database.exec("CREATE TABLE users (id TEXT); INSERT INTO users VALUES ('ada')")
  database.close()
  return new Uint8Array(readFileSync(path))
}

describe("what is no text in UTF-8", () => {
  const ids = Arbitrary.array(Arbitrary.schema(Schema.Literals(["ada", "x", "user-42", "", "grace hopper"])), {
    minLength: 1,
    maxLength: 5
  })
  const size = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })))
  const encodings = {
    "it is in UTF-16 (little-endian), not in UTF-8": utf16,
    "it is in UTF-16 (big-endian), not in UTF-8": (text: string) => swapped(utf16(text)),
    "it is in UTF-32 (little-endian), not in UTF-8": utf32,
    "it is in UTF-32 (big-endian), not in UTF-8": (text: string) => backwards(utf32(text)),
    "it is compressed with gzip": (text: string) => new Uint8Array(gzipSync(text)),
    "it is compressed with zstd": (text: string) => new Uint8Array(zstdCompressSync(text))
  }
  for (const [problem, encode] of Object.entries(encodings)) {
    it.effect.prop(
      `${problem}: with a mark or without, however it is cut into pieces`,
      { ids, size, mark: Arbitrary.schema(Schema.Boolean) },
      ({ ids, mark, size }) =>
        Effect.gen(function* () {
          const bytes = encode(`${mark ? "\uFEFF" : ""}u\r\n${ids.join("\r\n")}\r\n`)
          const error = yield* Effect.flip(readBytes(bytes, size))
          assert.strictEqual(error.message, problem)
        }),
      { arbitrary: { seed: 5, runs: 60 } }
    )
  }

  it.effect("other files, and lines that are not like the others, with their numbers", () =>
    Effect.gen(function* () {
      const { folder } = yield* written("")
      const latin1 = (text: string) => new Uint8Array(Buffer.from(text, "latin1"))
      const cases: ReadonlyArray<readonly [Uint8Array, string]> = [
        [database(join(folder, "db")), "it is a SQLite database"],
        [latin1("PK\x03\x04\x14\0\x06\0\b\0xl/"), "it is a ZIP archive or a spreadsheet, not a text"],
        [latin1("ada\ngr\xfcn\nx\n"), "line 2 is not in UTF-8"],
        [latin1("ada\n\xc3\xa9\n\nb\xc3"), "line 4 is not in UTF-8"],
        [latin1("ada\n\xc3\xa9\n\xe7\xbe\xa4\n\xa4\xbe\n"), "line 4 is not in UTF-8"],
        [encoder.encode("ada\ngrace\nb\0b\n"), "line 3 has a NUL character: it is no text"],
        // The bytes of a mark, as another program has read and written them.
        [utf16("\uFEFF"), "it is in UTF-16 (little-endian), not in UTF-8"]
      ]
      for (const [bytes, problem] of cases) {
        for (const size of [1, 2, 3, 5, 4096]) {
          const error = yield* Effect.flip(readBytes(bytes, size))
          assert.strictEqual(error.message, problem, `in pieces of ${size}`)
        }
      }
      assert.deepStrictEqual(yield* read("é\u{1f600}群\n\uFFFD\n", 1), ["é\u{1f600}群", "\uFFFD"])
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("is refused in a file, too", () =>
    Effect.gen(function* () {
      const { path } = yield* written(utf16("\uFEFFada\n"))
      const error = yield* Effect.flip(UserList.count(path))
      assert.strictEqual(error.reason._tag, "NotUtf8")
      assert.strictEqual(
        error.message,
        `cannot read the users file ${path}: it is in UTF-16 (little-endian), not in UTF-8`
      )
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

describe("a users file that is written to while it is read", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `user-${i}\n`).join("")
  const half = many.slice(0, 100_000)
  const changes: Readonly<Record<string, (path: string) => void>> = {
    "grows, in the middle of a line": (path) => writeFileSync(path, `${many}user-x`),
    shrinks: (path) => truncateSync(path, 90_000),
    "is written anew, shorter": (path) => writeFileSync(path, "other\n"),
    "is written anew, with another text as long": (path) => writeFileSync(path, many.replaceAll("user", "USER"))
  }
  for (const [what, change] of Object.entries(changes)) {
    it.effect(`${what}: is refused before its last line is taken`, () =>
      Effect.gen(function* () {
        const { path } = yield* written(many)
        // Files know their time in milliseconds here.
        utimesSync(path, 1, 1)
        const taken: Array<string> = []
        const error = yield* UserList.file(path).pipe(
          Stream.runForEach((line) =>
            Effect.sync(() => {
              if (taken.push(line) === 1) change(path)
            })
          ),
          Effect.flip
        )
        assert.strictEqual(error.reason._tag, "Changed")
        assert.match(error.message, /: it was written to while it was read: \d+ bytes were taken, it has \d+ now$/)
        assert.notInclude(taken, "user-x")
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
    )
  }

  it.effect("a new file of its name does not matter: what was opened is read to its end", () =>
    Effect.gen(function* () {
      const { path } = yield* written(half)
      writeFileSync(`${path}.new`, "other\n")
      let count = 0
      yield* Stream.runForEach(UserList.file(path), () =>
        Effect.sync(() => {
          if (++count === 1) renameSync(`${path}.new`, path)
        })
      )
      assert.strictEqual(count, half.split("\n").length)
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})
