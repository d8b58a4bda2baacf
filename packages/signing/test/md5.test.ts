import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { afterEach, vi } from "vitest"
import { hash, native, portable } from "../src/internal/md5.ts"

// RFC 1321, appendix A.5
const vectors = [
  ["", "d41d8cd98f00b204e9800998ecf8427e"],
  ["a", "0cc175b9c0f1b6a831c399e269772661"],
  ["abc", "900150983cd24fb0d6963f7d28e17f72"],
  ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
  ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
  ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"],
  [
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
    "57edf4a22be3c955ac49da2e2107b67a"
  ]
] as const

const nativeOrFail = native() ?? assert.fail("this runtime has no native MD5: the comparison would be empty")
const anyText = { text: Schema.String, lone: Schema.Literals(["", "\ud800", "\udc00", "\u{1f511}", "é", "\u0000"]) }

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

/** The package as loaded in a runtime whose `process` is the given one. */
const loadUnder = (process: unknown) => {
  vi.stubGlobal("process", process)
  vi.resetModules()
  return import("../src/internal/md5.ts")
}

describe("md5", () => {
  it.each(vectors)("RFC 1321: %j", (text, digest) => {
    assert.strictEqual(nativeOrFail(text), digest)
    assert.strictEqual(portable(text), digest)
    assert.strictEqual(hash(text), digest)
  })

  it.prop(
    "native and portable agree on any text, ill-formed ones too",
    anyText,
    ({ lone, text }) => {
      for (const input of [text + lone, lone + text, (text + lone).repeat(9)]) {
        assert.strictEqual(portable(input), nativeOrFail(input))
      }
    },
    { arbitrary: { runs: 300 } }
  )

  it("is portable where the runtime has no process, as at the edge", async () => {
    const md5 = await loadUnder(undefined)
    assert.isUndefined(md5.native())
    assert.strictEqual(md5.hash("abc"), "900150983cd24fb0d6963f7d28e17f72")
  })

  it.each([
    ["no built-in modules", {}],
    ["no such module", { getBuiltinModule: () => undefined }],
    ["an older node:crypto", { getBuiltinModule: () => ({}) }],
    [
      "MD5 forbidden, as under FIPS",
      {
        getBuiltinModule: () => ({
          hash: () => {
            throw new Error("digital envelope routines::unsupported")
          }
        })
      }
    ],
    ["an MD5 that is none", { getBuiltinModule: () => ({ hash: () => "0" }) }]
  ])("is portable under %s", async (_, process) => {
    const md5 = await loadUnder(process)
    assert.isUndefined(md5.native())
    assert.strictEqual(md5.hash("abc"), "900150983cd24fb0d6963f7d28e17f72")
  })

  it("is native where the runtime has it", async () => {
    const calls: Array<unknown> = []
    const md5 = await loadUnder({
      getBuiltinModule: (name: string) => ({
        hash: (...args: ReadonlyArray<unknown>) => {
          calls.push([name, ...args])
          return "d41d8cd98f00b204e9800998ecf8427e"
        }
      })
    })
    md5.hash("abc")
    md5.hash("abc")
    assert.deepStrictEqual(calls, [
      ["node:crypto", "md5", "", "hex"],
      ["node:crypto", "md5", "abc", "hex"],
      ["node:crypto", "md5", "abc", "hex"]
    ])
  })
})
