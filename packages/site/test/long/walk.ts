/**
 * The built site in a real browser without a window. `npm test -- site` builds it and runs these tests.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { globSync } from "node:fs"
import { chromium } from "playwright-core"
import type * as Playwright from "playwright-core"
import { output } from "../../src/Paths.ts"
import * as Server from "../../src/Server.ts"

export class Browser extends Context.Service<Browser, Playwright.Browser>()("test/Browser") {}

// Nothing that asks the net by itself.
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

const browser = Layer.effect(
  Browser,
  Effect.acquireRelease(
    Effect.promise(() =>
      chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "chromium", args: [...args, ...quiet] })
    ),
    (browser) => Effect.promise(() => browser.close())
  )
)

export const layer = Layer.merge(browser, Server.layer(0)).pipe(Layer.provide(NodeServices.layer))

/** Every page, by its path on the site. */
export const pages: ReadonlyArray<string> = globSync("**/*.html", { cwd: output }).filter((path) => path !== "404.html")

export const promise = <A>(run: () => Promise<A>): Effect.Effect<A> => Effect.promise(run)

export interface Opened {
  readonly page: Playwright.Page
  readonly context: Playwright.BrowserContext
  /** What was written to the console, what could not be fetched, and who else was asked. */
  readonly problems: Array<string>
}

/** An empty page of a profile of its own. */
export const open = Effect.fnUntraced(function* (options?: Playwright.BrowserContextOptions) {
  const browser = yield* Browser
  const { url } = yield* Server.Server
  const context = yield* Effect.acquireRelease(
    promise(() => browser.newContext({ baseURL: url, viewport: { width: 1440, height: 900 }, ...options })),
    (context) => promise(() => context.close())
  )
  const page = yield* promise(() => context.newPage())
  page.setDefaultTimeout(30_000)
  const problems: Array<string> = []
  const note = (text: string) => problems.push(`${page.url().replace(url, "/")}: ${text}`)
  page.on("console", (message) => note(`${message.type()}: ${message.text()}`))
  page.on("pageerror", (error) => note(String(error)))
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) note(`asks ${request.url()}`)
  })
  page.on("response", (response) => {
    if (response.status() >= 400) note(`${response.status()} for ${response.url()}`)
  })
  page.on("requestfailed", (request) => {
    // What is fetched ahead ends with the page.
    const reason = request.failure()?.errorText
    if (reason !== "net::ERR_ABORTED") note(`${reason} for ${request.url()}`)
  })
  return { page, context, problems } satisfies Opened
})

/** Goes to a page, and waits until its script has taken it over. Pages of sources have none. */
export const visit = (page: Playwright.Page, path: string) =>
  promise(async () => {
    await page.goto(path)
    await page.waitForFunction(() => {
      const app = document.querySelector("#app")
      return app === null || "__vue_app__" in app
    })
  })

export const press = (page: Playwright.Page, key: string) => promise(() => page.keyboard.press(key))

export const waitFor = (target: Playwright.Locator, state: "visible" | "detached" = "visible") =>
  promise(() => target.waitFor({ state }))

export const hasFocus = (target: Playwright.Locator) =>
  promise(() => target.evaluate((element) => element === document.activeElement))
