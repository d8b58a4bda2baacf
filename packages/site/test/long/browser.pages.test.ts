import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import type { Page } from "playwright-core"
import { output } from "../../src/Paths.ts"
import * as MarkdownLinks from "../../src/MarkdownLinks.ts"
import * as Server from "../../src/Server.ts"
import * as Walk from "./walk.ts"

/** Elements that reach out of the window and cannot be scrolled to on their own. */
const outside = (page: Page) =>
  Walk.promise(() =>
    page.evaluate(() => {
      const scrolls = (element: Element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX)
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT, (node) =>
        node instanceof Element && node !== document.body && scrolls(node)
          ? NodeFilter.FILTER_REJECT
          : NodeFilter.FILTER_ACCEPT
      )
      const found = document.documentElement.scrollWidth > innerWidth ? ["the page"] : []
      while (walker.nextNode() !== null) {
        const element = walker.currentNode
        if (!(element instanceof Element)) continue
        if (element.getBoundingClientRect().right > innerWidth + 1) found.push(element.outerHTML.slice(0, 100))
      }
      return found
    })
  )

/** The anchors of a page, and where it leads. */
const read = (page: Page) =>
  Walk.promise(() =>
    page.evaluate(() => ({
      ids: Array.from(document.querySelectorAll("[id]"), ({ id }) => id),
      links: Array.from(document.querySelectorAll<HTMLAnchorElement>("a[href]"), ({ href }) => href)
    }))
  )

interface Found {
  readonly anchors: ReadonlySet<string>
  readonly links: ReadonlySet<string>
}

const walk = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  const { page, problems } = yield* Walk.open()
  const found = new Map<string, Found>()
  for (const path of paths) {
    yield* Walk.visit(page, path)
    const { ids, links } = yield* read(page)
    found.set(path, { anchors: new Set(ids), links: new Set(links) })
    for (const width of [1440, 360]) {
      yield* Walk.promise(() => page.setViewportSize({ width, height: 800 }))
      problems.push(...(yield* outside(page)).map((what) => `${path} at ${width} px: out of the window: ${what}`))
    }
  }
  return { found, problems }
}, Effect.scoped)

layer(Walk.layer, { excludeTestServices: true, timeout: "1 minute" })("every page", (it) => {
  it.effect("loads without errors, asks nobody else, fits 360 and 1440 px, and leads to what is there", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.Server
      const parts = [0, 1, 2].map((part) => Walk.pages.filter((_, i) => i % 3 === part))
      const walks = yield* Effect.forEach(parts, walk, { concurrency: "unbounded" })
      const found = new Map(walks.flatMap(({ found }) => [...found]))
      const isDead = (link: string): boolean => {
        if (!link.startsWith(url)) return false
        const { hash, pathname } = new URL(link)
        const path = decodeURIComponent(pathname).slice(new URL(url).pathname.length)
        const target = found.get(path === "" || path.endsWith("/") ? `${path}index.html` : path)
        if (target === undefined) return !existsSync(`${output}/${path}`) || path.endsWith(".html")
        return hash !== "" && !target.anchors.has(decodeURIComponent(hash.slice(1)))
      }
      const dead = Array.from(found).flatMap(([path, { links }]) =>
        Array.from(links)
          .filter(isDead)
          .map((link) => `${path}: ${link}`)
      )
      assert.deepStrictEqual([...walks.flatMap(({ problems }) => problems), ...dead], [])
      const links = Array.from(found.values()).reduce((sum, { links }) => sum + links.size, 0)
      assert.isAbove(found.size, 350)
      assert.isAbove(links, 9_000)
    })
  )

  it.effect("is there as Markdown, and so is all that llms.txt and the Markdown lead to", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.Server
      const get = (path: string) =>
        Walk.promise(async () => {
          const response = await fetch(new URL(path, url))
          return { ok: response.ok, type: response.headers.get("content-type") ?? "", text: await response.text() }
        })
      const index = yield* get("llms.txt")
      const listed = MarkdownLinks.targets(index.text).filter((path) => path !== "llms-full.txt")
      const written = Walk.pages.filter((path) => path !== "index.html" && !path.startsWith("source/"))
      assert.deepStrictEqual(listed.toSorted(), written.map((path) => path.replace(/html$/, "md")).toSorted())
      const full = yield* get("llms-full.txt")
      const targets = new Set<string>()
      for (const path of listed) {
        const { ok, text, type } = yield* get(path)
        assert.isTrue(ok, path)
        assert.match(type, /^text\/markdown/, path)
        assert.include(full.text, `<!-- ${path} -->\n\n${text.trim()}`)
        for (const target of MarkdownLinks.targets(text)) {
          if (!MarkdownLinks.isExternal(target)) targets.add(MarkdownLinks.resolve(path, target).path)
        }
      }
      const missing: Array<string> = []
      for (const path of targets) if (!(yield* get(path)).ok) missing.push(path)
      assert.deepStrictEqual(missing, [])
      assert.isAbove(targets.size, 200)
    })
  )
})
