import { Fault } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")

const classes = new Set(["Condition", "Fault"])

describe("README", () => {
  it.each(Object.keys(Fault).filter((name) => !classes.has(name)))("tells of Fault.%s", (name) => {
    assert.match(readme, new RegExp("`" + name + "[`(]"))
  })

  it("lists every module", async () => {
    const modules = [...Object.keys(await import("@effect-zim/emulator")), "EmulatorServer"]
    const table = readme.slice(readme.indexOf("## Modules"), readme.indexOf("## The world file"))
    const listed = Array.from(table.matchAll(/^\| `(\w+)`/gm), ([, name]) => name)
    assert.sameMembers(listed, modules)
  })

  it("shows a world file that can be read", async () => {
    const { World } = await import("@effect-zim/emulator")
    const file = /```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? ""
    const world = World.make(JSON.parse(file))
    assert.deepStrictEqual(
      world.users.map(({ conversations }) => conversations.length),
      [1, 0]
    )
  })
})
