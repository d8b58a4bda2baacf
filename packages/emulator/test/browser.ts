/**
 * A real browser without a window, on an emulator and its inspector. Where there is no Chromium, `vitest.workspace.ts`
 * leaves these tests out, loudly.
 */
import { Emulator } from "@effect-zim/emulator"
import * as EmulatorAdmin from "@effect-zim/emulator/EmulatorAdmin"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { chromium } from "playwright-core"
import type * as Playwright from "playwright-core"
import { parts, secret, toRequest } from "./support.ts"

export class Browser extends Context.Service<Browser, Playwright.Browser>()("test/Browser") {}

// A profile of its own and nothing that asks the net: Playwright takes a new folder for each launch.
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

export const layer = Layer.effect(
  Browser,
  Effect.acquireRelease(
    Effect.promise(() => chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "chromium", args })),
    (browser) => Effect.promise(() => browser.close())
  )
)

/** The emulator, its server and its admin API. */
export const serve = (options: Emulator.Options) =>
  Layer.merge(EmulatorServer.layer(), EmulatorAdmin.layer()).pipe(Layer.provideMerge(Emulator.layer(options)))

/** The inspector in a page, and what it should not have done. */
export interface Opened {
  readonly page: Playwright.Page
  readonly url: string
  readonly response: Playwright.Response
  /** Messages in the console, errors, dialogs, requests to anybody else, and answers with the secret in them. */
  readonly problems: ReadonlyArray<string>
}

export const open = Effect.fnUntraced(function* (options?: Playwright.BrowserContextOptions) {
  const browser = yield* Browser
  const { url } = yield* EmulatorAdmin.EmulatorAdmin
  const context = yield* Effect.acquireRelease(
    Effect.promise(() => browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })),
    (context) => Effect.promise(() => context.close())
  )
  return yield* Effect.promise(async (): Promise<Opened> => {
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    const problems: Array<string> = []
    page.on("console", (message) => problems.push(`${message.type()}: ${message.text()}`))
    page.on("pageerror", (error) => problems.push(String(error)))
    page.on("dialog", (dialog) => {
      problems.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on("request", (request) => {
      if (!request.url().startsWith(`${url}/`) && !request.url().startsWith("data:")) problems.push(request.url())
    })
    page.on("response", async (response) => {
      if (response.url().endsWith("/journal/live")) return
      const text = await response.text().catch(() => "")
      if (text.includes(secret)) problems.push(`${response.url()} answers with the secret`)
    })
    const response = await page.goto(url)
    if (response === null) throw new Error("there is no page")
    await page.locator("#connection[data-state=live]").waitFor()
    return { page, url, response, problems }
  })
})

/** A call of a client, over HTTP, correct but for what is asked for: the code of its answer, or what became of it. */
export const call = Effect.fnUntraced(function* (userId: string) {
  const { url } = yield* EmulatorServer.EmulatorServer
  const { body = "", contentType = "", target } = toRequest(yield* parts({ FromUserId: userId }))
  return yield* Effect.promise(async (): Promise<unknown> => {
    try {
      const response = await fetch(`${url}${target}`, {
        method: "POST",
        body,
        headers: { "content-type": contentType }
      })
      const text = await response.text()
      return response.status === 200 ? JSON.parse(text).Code : response.status
    } catch {
      return "no answer"
    }
  })
})

export const promise = <A>(run: () => Promise<A>): Effect.Effect<A> => Effect.promise(run)
