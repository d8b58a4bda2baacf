import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { posix } from "node:path"
import * as SiteFiles from "../src/SiteFiles.ts"
import * as DeadLinks from "../src/DeadLinks.ts"
import * as MarkdownLinks from "../src/MarkdownLinks.ts"
import * as MarkdownPages from "../src/MarkdownPages.ts"

const Name = Schema.Literals(["a", "b", "README.md", "c.md"])
const Path = Schema.Array(Name).check(Schema.isMinLength(1), Schema.isMaxLength(4))
const Anchor = Schema.Literals(["", "#anchor", "#an#chor"])

describe("links of Markdown", () => {
  it.prop("leads from any file to any other", { from: Path, to: Path, anchor: Anchor }, ({ anchor, from, to }) => {
    const [page, path] = [from.join("/"), to.join("/")]
    assert.deepStrictEqual(MarkdownLinks.resolve(page, MarkdownLinks.relative(page, path) + anchor), { path, anchor })
  })

  it.prop("finds what it changes, and changes nothing in code", { to: Path }, ({ to }) => {
    const target = to.join("/")
    const page = (target: string) =>
      `[one](${target}) and ![two](${target} "title") and [\`three\`](${target}#x)\n\n\`[no](${target})\``
    const code = (target: string) => `\n\n\`\`\`\`md\n[no](${target})\n\`\`\`\nno\n\`\`\`\`\n`
    const text = page(target) + code(target)
    assert.deepStrictEqual(MarkdownLinks.targets(text), [target, target, `${target}#x`])
    const changed = MarkdownLinks.map(text, (one) => posix.join("up", one))
    assert.deepStrictEqual(
      MarkdownLinks.targets(changed),
      [target, target, `${target}#x`].map((one) => `up/${one}`)
    )
    assert.isTrue(changed.endsWith(`\`[no](${target})\`${code(target)}`))
  })

  it("names headings as GitHub does", () => {
    const markdown =
      "# `zim` & [others](x.md)\n\n```sh\n# no heading\n```\n\n## 4. Return codes\n\n## 4. Return codes\n"
    assert.deepStrictEqual(MarkdownLinks.anchors(markdown), ["zim--others", "4-return-codes", "4-return-codes-1"])
  })
})

describe("the Markdown of this repository", () => {
  it.effect("has no dead link and no dead anchor", () =>
    Effect.gen(function* () {
      const site = yield* SiteFiles.site
      assert.deepStrictEqual(DeadLinks.inMarkdown(site), [])
      assert.isAbove(site.files.size, 60)
      // It would find one.
      const worse = new Map([...site.files, ["docs/new.md", "[a](none.md) [b](errors.md#none) [c](errors.md#errors)"]])
      assert.deepStrictEqual(DeadLinks.inMarkdown({ ...site, files: worse }), [
        "docs/new.md: none.md",
        "docs/new.md: errors.md#none"
      ])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("is on the site, each file at an address of its own", () =>
    Effect.gen(function* () {
      const { files } = yield* SiteFiles.site
      const paths = [...files.keys()].map(MarkdownPages.pathOf)
      assert.strictEqual(new Set(paths).size, paths.length)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
