/** Answers that come late: what is changed in the inspector stays as it was changed, and nothing of others is undone. */
import { Emulator, Fault } from "@effect-zim/emulator"
import { assert, layer, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page, Route } from "playwright-core"
import { call, layer as browserLayer, open, promise, serve } from "./browser.ts"
import { groups, worldOf } from "./support.ts"

// A browser beside everything else on two cores.
vi.setConfig({ testTimeout: 240_000 })

const world = worldOf({ u1: groups(3), u2: groups(2) })
const start = Effect.provide(serve({ world }))

const faultsInForce = Effect.flatMap(Emulator.Emulator, ({ faults }) =>
  Effect.map(faults.get, (all) => all.map(Fault.describe))
)

/**
 * Holds the answers to what the page reads at a path: the server has answered, and the page does not know it yet. `passed`
 * lets later questions through, `released` gives the page what was held. In the end nothing more is answered.
 */
const hold = (page: Page, path: string) =>
  promise(async () => {
    const asked: Array<PromiseWithResolvers<void>> = []
    const nth = (n: number) => (asked[n] ??= Promise.withResolvers<void>())
    const held: Array<() => Promise<void>> = []
    let state: "hold" | "pass" | "silence" = "hold"
    const handle = async (route: Route) => {
      if (route.request().method() !== "GET" || state === "pass") return route.continue()
      if (state === "silence") return
      const response = await route.fetch()
      held.push(async () => {
        const { resolve, promise } = Promise.withResolvers<void>()
        page.on("requestfinished", (request) => request === route.request() && resolve())
        await route.fulfill({ response })
        await promise
      })
      nth(held.length).resolve()
    }
    await page.route((url) => url.pathname === path, handle)
    return {
      /** Waits until so many answers are held. */
      asked: (count: number) => promise(() => nth(count).promise),
      pass: Effect.sync(() => (state = "pass")),
      /** The page has what was held, and has done with it what it does. */
      release: promise(async () => {
        state = "silence"
        await Promise.all(held.map((give) => give()))
        // What an answer starts in the page comes before the answer to a later question.
        await page.evaluate(() => fetch("/openapi.json").then((answer) => answer.text()))
      })
    }
  })

layer(browserLayer, { excludeTestServices: true, timeout: "1 minute" })("an answer from before", (it) => {
  it.effect.each([
    { name: "660300005, every 5th call", path: "/faults", reads: 1, on: "On: 660300005", off: "Off: 660300005" },
    // The quota's chart asks for the time, too.
    { name: "Frozen", path: "/clock", reads: 2, on: "The clock stands", off: "The clock is right" }
  ])("a change leaves the switch $name as it was put", ({ name, off, on, path, reads }) =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const control = page.getByRole("switch", { name })
      for (const [wanted, said] of [
        [true, on],
        [false, off]
      ] as const) {
        // The page knows how things are: on a busy machine its first question would be held, too.
        yield* promise(() => page.getByRole("switch", { name, checked: !wanted }).waitFor())
        const answers = yield* hold(page, path)
        yield* answers.asked(reads)
        yield* answers.pass
        yield* promise(() => control.click())
        yield* promise(() => page.getByText(said).waitFor())
        yield* answers.release
        assert.strictEqual(yield* promise(() => control.isChecked()), wanted)
        yield* promise(() => page.unrouteAll({ behavior: "ignoreErrors" }))
        yield* promise(() => page.reload())
      }
    }).pipe(start)
  )

  it.effect("all is forgotten does not bring the calls back", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      // The page has heard of the calls from the stream alone.
      const status = yield* hold(page, "/status")
      yield* status.asked(1)
      yield* call("u1")
      const calls = page.locator("#entries tr")
      yield* promise(() => calls.first().waitFor())
      const answers = yield* hold(page, "/journal")
      yield* promise(() => page.getByLabel("User", { exact: true }).fill("u1"))
      yield* answers.asked(1)
      yield* answers.pass
      yield* status.pass
      yield* promise(() => page.getByRole("button", { name: "Forget all" }).click())
      yield* promise(() => page.getByText("No calls yet").waitFor())
      yield* answers.release
      assert.strictEqual(yield* promise(() => calls.count()), 0)
    }).pipe(start)
  )

  it.effect("a search was typed on does not show what is not searched for any more", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const search = page.getByLabel("Id contains")
      const answers = yield* hold(page, "/users")
      yield* promise(() => search.fill("u1"))
      const u1 = page.waitForRequest((request) => new URL(request.url()).searchParams.get("search") === "u1")
      yield* promise(() => u1)
      yield* answers.asked(1)
      yield* answers.pass
      yield* promise(() => search.fill("u2"))
      const found = page.locator("#users li")
      yield* promise(() => page.locator("#users li:only-child").filter({ hasText: "u2" }).waitFor())
      yield* answers.release
      assert.deepStrictEqual(yield* promise(() => found.allInnerTexts()), ["u2\n2 conversations"])
    }).pipe(start)
  )
})

layer(browserLayer, { excludeTestServices: true, timeout: "1 minute" })("two tabs", (it) => {
  it.effect("change what they mean to change, and nothing that the other has changed since", () =>
    Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      const mine = Fault.rewrite("mine", (reply) => reply)
      yield* faults.set([Fault.hang, Fault.hang, Fault.answerLost, mine])
      const { page: first } = yield* open()
      const { page: second } = yield* open()
      const remove = (page: Page, name: string) =>
        promise(async () => {
          await page
            .getByRole("button", { name: `Remove ${name}` })
            .first()
            .click()
          await page.getByText(`Removed ${name}`).waitFor()
        })
      // The first has an old list from here on, but what it reads for a change of its own.
      yield* promise(() => first.getByRole("button", { name: "Remove hang" }).first().waitFor())
      const old = yield* hold(first, "/faults")
      yield* old.asked(1)
      yield* remove(second, "hang")
      yield* promise(() => second.getByRole("switch", { name: "300 ms latency" }).click())
      yield* promise(() => second.getByText("On: 300 ms latency").waitFor())
      yield* remove(first, "answerLost")
      assert.deepStrictEqual(yield* faultsInForce, ["hang", "mine", "latency(duration: 300ms)"])
      yield* old.pass
      yield* promise(() => first.getByRole("switch", { name: "Cursors beyond" }).click())
      yield* promise(() => first.getByText("On: Cursors").waitFor())
      yield* promise(() => first.getByLabel("Any fault").fill(`[{ "type": "emptyBody" }, { "type": "notJson" }]`))
      yield* promise(() => first.getByRole("button", { name: "Add", exact: true }).click())
      yield* promise(() => first.getByText("Added").waitFor())
      yield* remove(second, "mine")
      assert.deepStrictEqual(yield* faultsInForce, [
        "hang",
        "latency(duration: 300ms)",
        "largeCursors",
        "emptyBody",
        "notJson"
      ])
    }).pipe(start)
  )
})
