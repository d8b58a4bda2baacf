import { assert, layer } from "@effect/vitest"
import axe from "axe-core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Locator, Page } from "playwright-core"
import * as Walk from "./walk.ts"

/** One page of each kind. */
const kinds = {
  home: "index.html",
  "table and code": "docs/guides/policies.html",
  "long tables and a picture": "docs/benchmarks.html",
  decision: "docs/decisions/0033-a-site-by-vitepress.html",
  package: "packages/client/index.html",
  packages: "api/index.html",
  functions: "api/client/Conversations.html",
  "long signatures": "api/client/ClientError.html",
  source: "source/packages/client/src/Conversations.ts.html",
  "no page": "404.html"
}

/** A folder for pictures of what is looked at, if somebody wants them. */
const pictures = process.env["SITE_PICTURES"]

const Violations = Schema.Array(
  Schema.Struct({
    id: Schema.String,
    impact: Schema.NullOr(Schema.String),
    nodes: Schema.Array(Schema.Struct({ html: Schema.String, failureSummary: Schema.String }))
  })
)

/** What axe finds serious: contrast, names, roles, keyboard. */
const violations = Effect.fnUntraced(function* (page: Page) {
  yield* Walk.promise(() => page.evaluate(axe.source))
  const all = yield* Walk.promise(() => page.evaluate("axe.run().then((all) => all.violations)"))
  return (
    (yield* Schema.decodeUnknownEffect(Violations)(all))
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ failureSummary, html }) => `${id}: ${html}: ${failureSummary}`))
      // It shows its keys, Ctrl K, beside its name.
      .filter((what) => !what.startsWith('label-content-name-mismatch: <button type="button" class="DocSearch'))
  )
})

/** What has the focus, and whether that shows. */
const focused = (page: Page) =>
  Walk.promise(() =>
    page.evaluate(() => {
      const element = document.activeElement ?? document.body
      return { html: element.outerHTML.slice(0, 100), shows: getComputedStyle(element).outlineStyle !== "none" }
    })
  )

/** Presses Tab until this has the focus, and sees that the focus shows. */
const tabTo = Effect.fnUntraced(function* (target: Locator) {
  const page = target.page()
  for (let presses = 0; presses < 200; presses++) {
    yield* Walk.press(page, "Tab")
    const { html, shows } = yield* focused(page)
    assert.isTrue(shows, `the focus does not show: ${html}`)
    if (yield* Walk.hasFocus(target)) return
  }
  assert.fail(`the focus never came to ${String(target)}`)
})

const isDark = (page: Page) =>
  Walk.promise(() => page.evaluate(() => document.documentElement.className.includes("dark")))

layer(Walk.layer, { excludeTestServices: true, timeout: "1 minute" })("a reader", (it) => {
  it.effect.each(["light", "dark"] as const)("reads every kind of page, %s", (colorScheme) =>
    Effect.gen(function* () {
      const found: Array<string> = []
      for (const width of [1440, 360]) {
        const { page } = yield* Walk.open({ colorScheme, viewport: { width, height: 900 } })
        for (const [kind, path] of Object.entries(kinds)) {
          yield* Walk.visit(page, path)
          assert.strictEqual(yield* isDark(page), colorScheme === "dark", path)
          found.push(...(yield* violations(page)).map((what) => `${path} at ${width} px: ${what}`))
          if (pictures === undefined) continue
          const picture = `${pictures}/${kind.replaceAll(" ", "-")}-${width}-${colorScheme}.png`
          yield* Walk.promise(() => page.screenshot({ path: picture }))
        }
      }
      assert.deepStrictEqual(found, [])
    })
  )

  it.effect("needs no mouse", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* Walk.open({ colorScheme: "light" })
      yield* Walk.visit(page, kinds["table and code"])
      const skip = page.getByRole("link", { name: "Skip to content" })
      yield* tabTo(skip)
      assert.isAbove((yield* Walk.promise(() => skip.boundingBox()))?.width ?? 0, 50)
      yield* Walk.press(page, "Enter")
      assert.isTrue(yield* Walk.hasFocus(page.locator("#VPContent")))
      yield* tabTo(page.locator(".vp-doc").getByRole("link", { name: "Decision 8" }))

      yield* Walk.visit(page, kinds["table and code"])
      yield* tabTo(page.getByRole("button", { name: "Search" }))
      yield* tabTo(page.getByRole("navigation", { name: "Main Navigation" }).getByRole("link", { name: "API" }))
      yield* tabTo(page.getByRole("switch").first())
      yield* Walk.press(page, "Enter")
      assert.isTrue(yield* isDark(page))
      yield* Walk.press(page, "Space")
      assert.isFalse(yield* isDark(page))
      yield* Walk.press(page, "Space")
      yield* tabTo(page.locator(".VPSidebar").getByRole("link", { name: "Getting started" }))
      yield* Walk.press(page, "Enter")
      yield* Walk.waitFor(page.locator("h1", { hasText: "Getting started" }))
      // Chosen once, it stays, on pages of sources too.
      yield* Walk.visit(page, kinds.source)
      assert.isTrue(yield* isDark(page))
      yield* tabTo(page.locator("pre"))
      yield* Walk.visit(page, kinds.functions)
      assert.isTrue(yield* isDark(page))
      yield* tabTo(page.locator(".VPDocAsideOutline").getByRole("link", { name: "Conversations.stream" }))
      yield* Walk.press(page, "Enter")
      yield* Walk.promise(() => page.waitForURL((url) => url.hash === "#stream"))
      assert.deepStrictEqual(problems, [])
    })
  )

  it.effect("opens and closes the menus of a phone", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* Walk.open({ viewport: { width: 360, height: 740 } })
      yield* Walk.visit(page, kinds.functions)
      const screen = page.locator(".VPNavScreen")
      yield* tabTo(page.getByRole("button", { name: "mobile navigation" }))
      yield* Walk.press(page, "Enter")
      yield* Walk.waitFor(screen.getByRole("link", { name: "Benchmarks" }))
      yield* Walk.press(page, "Enter")
      yield* Walk.waitFor(screen, "detached")

      const menu = page.getByRole("button", { name: "Menu", exact: true })
      const open = page.locator(".VPSidebar.open")
      yield* tabTo(menu)
      yield* Walk.press(page, "Enter")
      yield* Walk.waitFor(open.getByRole("link", { name: "Paging" }))
      yield* Walk.press(page, "Escape")
      yield* Walk.waitFor(open, "detached")
      assert.isTrue(yield* Walk.hasFocus(menu))
      yield* Walk.press(page, "Enter")
      yield* Walk.promise(() => open.getByRole("link", { name: "Paging" }).click())
      yield* Walk.waitFor(page.locator("h1", { hasText: "Paging" }))
      yield* Walk.waitFor(open, "detached")
      assert.deepStrictEqual(problems, [])
    })
  )
})
