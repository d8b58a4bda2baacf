import { UserList } from "@effect-zim/export"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Disk } from "./disk.ts"

const encoder = new TextEncoder()

const read = (text: string, size: number): Effect.Effect<ReadonlyArray<string>> => {
  const bytes = encoder.encode(text)
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size))
  return Stream.runCollect(UserList.lines(Stream.fromIterable(pieces)))
}

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
      const disk = new Disk()
      disk.put("/folder", "")
      const unreadable = (path: string) =>
        Effect.flip(Stream.runDrain(UserList.file(path))).pipe(
          Effect.map(({ _tag, message }) => [_tag, message]),
          Effect.provideService(FileSystem.FileSystem, {
            ...disk.fileSystem,
            stream: (path) =>
              Stream.concat(
                Stream.make(encoder.encode("ada\n")),
                Stream.fail(
                  PlatformError.systemError({
                    _tag: "Unknown",
                    module: "FileSystem",
                    method: "read",
                    pathOrDescriptor: path,
                    cause: Object.assign(new Error("EIO"), { code: "EIO" })
                  })
                )
              )
          })
        )
      const said = (path: string, problem: string) => [
        "UserListUnreadable",
        `cannot read the users file ${path}: ${problem}`
      ]
      assert.deepStrictEqual(yield* unreadable("/nowhere"), said("/nowhere", "no such file or folder"))
      assert.deepStrictEqual(yield* unreadable("/folder"), said("/folder", "it is a folder"))
      disk.put("/users", "")
      assert.deepStrictEqual(yield* unreadable("/users"), said("/users", "the device failed"))
    })
  )
})
