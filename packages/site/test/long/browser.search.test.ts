import { assert, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { content } from "../../src/Paths.ts"
import * as Walk from "./walk.ts"

const Names = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ name: Schema.String, path: Schema.String, anchor: Schema.String }))
)
const names = Schema.decodeSync(Names)(readFileSync(`${content}/names.json`, "utf8"))

/** So many are seen at once. */
const first = 5

const box = (page: Page) => page.getByRole("searchbox")
const results = (page: Page) =>
  Walk.promise(() =>
    page
      .locator("#localsearch-list a")
      .evaluateAll((links) => links.map((link) => ({ href: link.getAttribute("href") ?? "", text: link.textContent })))
  )
const fill = (page: Page, text: string) => Walk.promise(() => box(page).fill(text))

/** The index is there when the first search has found something. */
const openSearch = Effect.fnUntraced(function* (page: Page) {
  yield* Walk.visit(page, "index.html")
  yield* Walk.press(page, "Control+k")
  yield* fill(page, "effect")
  yield* Walk.waitFor(page.locator("#localsearch-list a").first())
})

/** Asks for these names, each in the box; the timer of the box is run by hand. */
const search = Effect.fnUntraced(function* (some: typeof names) {
  const { page, problems } = yield* Walk.open()
  yield* openSearch(page)
  yield* Walk.promise(() => page.clock.install())
  const lost: Array<string> = []
  for (const { anchor, name, path } of some) {
    yield* fill(page, name)
    yield* Walk.promise(() => page.clock.runFor(250))
    const found = yield* results(page)
    const place = found.findIndex(({ href }) => href.endsWith(`/${path.replace(/md$/, "html")}#${anchor}`))
    const owner = path.split("/")[1] ?? ""
    if (place === -1 || place >= first) lost.push(`${name} of ${path}: ${place === -1 ? "not found" : place + 1}`)
    else if (found[place]?.text.includes(`${owner} / `) !== true) lost.push(`${name} of ${path}: not said to be there`)
  }
  return [...lost, ...problems]
}, Effect.scoped)

/** Its heading is on the screen. */
const arrives = (page: Page, href: string | null) =>
  Walk.promise(async () => {
    await page.waitForURL((url) => url.pathname + url.hash === href)
    await page.waitForFunction(() => {
      const top = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.getBoundingClientRect().top
      return top !== undefined && top >= 0 && top < innerHeight
    })
  })

layer(Walk.layer, { excludeTestServices: true, timeout: "1 minute" })("the search", (it) => {
  it.effect(`finds every public name among the first ${first}`, () =>
    Effect.gen(function* () {
      const parts = [0, 1].map((part) => names.filter((_, i) => i % 2 === part))
      assert.deepStrictEqual((yield* Effect.forEach(parts, search, { concurrency: "unbounded" })).flat(), [])
      assert.isAbove(names.length, 600)
      yield* Console.log(`${names.length} names found`)
    })
  )

  it.effect("is typed into, walked through and left with the keyboard", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* Walk.open()
      yield* openSearch(page)
      yield* Walk.press(page, "Escape")
      yield* Walk.waitFor(box(page), "detached")
      for (const [key, typed, presses] of [
        ["/", "Conversations.stream", 0],
        ["Control+k", "UserNotRegistered", 1],
        ["/", "circuit breaker", 2]
      ] as const) {
        yield* Walk.press(page, key)
        yield* Walk.waitFor(box(page))
        assert.isTrue(yield* Walk.hasFocus(box(page)))
        yield* Walk.press(page, "Control+a")
        yield* Walk.promise(() => page.keyboard.type(typed))
        const word = new RegExp(`^${typed.split(/\W/).at(-1)}$`, "i")
        yield* Walk.waitFor(page.locator("#localsearch-list a.selected mark", { hasText: word }).first())
        for (let i = 0; i < presses; i++) yield* Walk.press(page, "ArrowDown")
        const selected = page.locator(`#localsearch-list a.selected[data-index="${presses}"]`)
        const href = yield* Walk.promise(() => selected.getAttribute("href"))
        yield* Walk.press(page, "Enter")
        yield* arrives(page, href)
      }
      assert.deepStrictEqual(problems, [])
    })
  )

  it.effect("needs no network once it is open", () =>
    Effect.gen(function* () {
      const { context, page } = yield* Walk.open()
      yield* openSearch(page)
      yield* Walk.promise(() => context.setOffline(true))
      yield* fill(page, "Conversations.stream")
      yield* Walk.waitFor(page.locator('#localsearch-list a.selected[href$="Conversations.html#stream"]'))
    })
  )
})
