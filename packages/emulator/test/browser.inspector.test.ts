import { Emulator, Fault, FaultJson, ServiceQuota } from "@effect-zim/emulator"
import type { World } from "@effect-zim/emulator"
import { assert, layer, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Locator, Page } from "playwright-core"
import { call, layer as browserLayer, open, promise, serve } from "./browser.ts"
import { appId, groups, secret, worldOf } from "./support.ts"

const evil = {
  user: "<img src=x onerror=alert(1)>",
  group: `"><script>alert(1)</script>`,
  stranger: "<svg onload=alert(2)>"
}

// A browser beside everything else on two cores.
vi.setConfig({ testTimeout: 90_000 })

const world = worldOf({ u1: groups(3), u2: groups(2), empty: [] })
const start = (options?: Partial<Emulator.Options>) => Effect.provide(serve({ world, ...options }))

const texts = (locator: Locator) => promise(() => locator.allInnerTexts())
const waitFor = (locator: Locator) => promise(() => locator.waitFor())
const entries = (page: Page) => page.locator("#entries tr")
const row = (page: Page, text: string) => entries(page).filter({ hasText: text }).first()
const faultsInForce = Effect.flatMap(Emulator.Emulator, ({ faults }) =>
  Effect.map(faults.get, (all) => all.map(Fault.describe))
)

const hasFocus = (target: Locator) => target.evaluate((element) => element === document.activeElement)

/** Presses a key until this control has the focus. */
const tabTo = Effect.fnUntraced(function* (target: Locator, key = "Tab") {
  for (let presses = 0; presses < 150; presses++) {
    if (yield* promise(() => hasFocus(target))) return
    yield* promise(() => target.page().keyboard.press(key))
  }
  assert.fail(`the focus never came to ${String(target)}`)
})

/** Waits until the gauge and the chart beside it show this. */
const gaugeShows = (page: Page, used: string, label: RegExp) =>
  promise(async () => {
    await page.locator(".gauge strong", { hasText: used }).waitFor()
    await page.getByRole("img", { name: label }).waitFor()
  })

layer(browserLayer, { excludeTestServices: true, timeout: "1 minute" })("the inspector in a browser", (it) => {
  it.effect("loads under a strict policy, without errors, asks nobody else, and shows no secret", () =>
    Effect.gen(function* () {
      const { page, problems, response } = yield* open()
      const headers = response.headers()
      const policy = headers["content-security-policy"] ?? ""
      assert.match(policy, /default-src 'none'/)
      assert.match(policy, /script-src 'sha256-[^ ]+';/)
      assert.match(policy, /style-src 'sha256-[^ ]+';/)
      assert.notInclude(policy, "unsafe")
      assert.isBelow(Number(headers["content-length"]), 45_000)
      yield* promise(() => page.getByText(`App ${appId}. Secrets are not shown.`).waitFor())
      yield* promise(() => page.getByRole("button", { name: /^u1 / }).click())
      yield* waitFor(page.getByRole("heading", { name: "Conversations of u1" }))
      assert.notInclude(yield* promise(() => page.content()), secret)
      assert.deepStrictEqual(problems, [])
      for (const role of ["banner", "main", "contentinfo", "navigation"] as const) {
        assert.strictEqual(yield* promise(() => page.getByRole(role).count()), 1, role)
      }
      for (const name of ["Quota", "Journal", "Faults", "Clock", "World"]) {
        yield* waitFor(page.getByRole("region", { name, exact: true }))
        yield* waitFor(page.getByRole("heading", { name, level: 2 }))
      }
      // The policy is in force: no markup from strings, no script that was not there.
      const refused = yield* promise(() =>
        page.evaluate(() => {
          try {
            document.body.innerHTML = "<p>markup</p>"
            return "taken"
          } catch (error) {
            return error instanceof TypeError ? "refused" : String(error)
          }
        })
      )
      assert.strictEqual(refused, "refused")
    }).pipe(start())
  )

  it.effect("shows calls as they are made, filters them, and pauses", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* open()
      yield* call("u1")
      yield* waitFor(row(page, "u1"))
      yield* call("nobody")
      yield* waitFor(row(page, "660500002"))
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.set([Fault.returnCode(1)])
      yield* call("u2")
      yield* waitFor(row(page, "returnCode"))
      // The latest first.
      const users = entries(page).locator("td:nth-child(4)")
      assert.deepStrictEqual(yield* texts(users), ["u2", "nobody", "u1"])

      const only = Effect.fnUntraced(function* (field: string, value: string, user: string) {
        yield* promise(() => page.getByLabel(field, { exact: true }).fill(value))
        yield* promise(() => page.waitForFunction(() => document.querySelectorAll("#entries tr").length === 1))
        assert.deepStrictEqual(yield* texts(users), [user])
        yield* promise(() => page.getByRole("button", { name: "Show all" }).click())
        yield* promise(() => page.waitForFunction(() => document.querySelectorAll("#entries tr").length === 3))
      })
      yield* only("User", "u1", "u1")
      yield* only("Code", "660500002", "nobody")
      yield* only("Fault", "returnCode", "u2")

      // What is filtered out stays out when it arrives.
      yield* promise(() => page.getByLabel("User", { exact: true }).fill("u1"))
      yield* promise(() => page.waitForFunction(() => document.querySelectorAll("#entries tr").length === 1))
      yield* call("u2")
      yield* call("u1")
      yield* waitFor(page.getByText("2 calls", { exact: true }))
      assert.deepStrictEqual(yield* texts(users), ["u1", "u1"])
      yield* promise(() => page.getByRole("button", { name: "Show all" }).click())
      yield* promise(() => page.waitForFunction(() => document.querySelectorAll("#entries tr").length === 5))

      yield* promise(() => page.getByRole("button", { name: "Pause" }).click())
      yield* call("u1")
      yield* waitFor(page.getByText("Paused, 1 more since"))
      assert.strictEqual(yield* promise(() => entries(page).count()), 5)
      yield* promise(() => page.getByRole("button", { name: "Pause", pressed: true }).click())
      yield* promise(() => page.waitForFunction(() => document.querySelectorAll("#entries tr").length === 6))

      // Told to those who listen, all together.
      yield* waitFor(
        page.getByRole("status").filter({ hasText: /new calls?, \d+ without success\. The latest: u\d, code/ })
      )

      yield* promise(() => page.getByRole("button", { name: "Forget all" }).click())
      yield* waitFor(page.getByText("No calls yet"))
      assert.deepStrictEqual(yield* emulator.journal.entries, [])
      assert.deepStrictEqual(problems, [])
    }).pipe(start())
  )

  it.effect("moves the gauge and the chart of each app", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const meter = page.getByRole("meter", { name: `AppID ${appId}: used` })
      const value = () => meter.getAttribute("aria-valuenow")
      assert.strictEqual(yield* promise(value), "0")
      yield* call("u1")
      yield* call("u2")
      yield* gaugeShows(page, "2 / 3", /2 calls passed, 0 rejected/)
      assert.strictEqual(yield* promise(value), "2")
      yield* call("u1")
      assert.strictEqual(yield* call("u1"), 660300005)
      yield* gaugeShows(page, "3 / 3", /3 calls passed, 1 rejected/)
      // It is there for who comes later, too.
      yield* promise(() => page.reload())
      yield* gaugeShows(page, "3 / 3", /3 calls passed, 1 rejected/)
    }).pipe(start({ quota: ServiceQuota.sliding({ limit: 3, window: "10 minutes" }) }))
  )

  it.effect("sets faults by keyboard, from switches and from JSON, and says what is wrong with JSON", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* open()
      assert.strictEqual(yield* call("u1"), 0)
      const preset = page.getByRole("switch", { name: "660300005, every 5th call" })
      yield* tabTo(preset)
      yield* promise(() => page.keyboard.press("Space"))
      yield* waitFor(page.getByText("On: 660300005, every 5th call"))
      const codes = yield* Effect.forEach([1, 2, 3, 4, 5], () => call("u1"))
      assert.deepStrictEqual(codes, [0, 0, 0, 0, 660300005])
      assert.isTrue(yield* promise(() => preset.isChecked()))
      yield* promise(() => page.keyboard.press("Space"))
      yield* waitFor(page.getByText("Off: 660300005, every 5th call"))
      assert.deepStrictEqual(yield* faultsInForce, [])

      const json = page.getByLabel("Any fault, or a list of them, as JSON")
      const write = (text: string) =>
        promise(async () => {
          await page.keyboard.press("ControlOrMeta+a")
          await page.keyboard.insertText(text)
        })
      const result = page.locator("#fault-result")
      const submit = Effect.fnUntraced(function* (name: string) {
        yield* tabTo(page.getByRole("button", { name, exact: true }))
        yield* promise(() => page.keyboard.press("Enter"))
      })
      yield* tabTo(json)
      for (const [text, problem] of [
        [`{ "type": `, /JSON/],
        [`{ "type": "returnCod", "code": 1 }`, /one of returnCode, latency/],
        [`[{ "type": "returnCode", "code": 1, "when": [{ "evry": 3 }] }]`, /evry/]
      ] as const) {
        yield* write(text)
        yield* submit("Add")
        yield* waitFor(result.filter({ hasText: problem }))
        assert.strictEqual(yield* promise(() => json.getAttribute("aria-invalid")), "true")
        assert.isTrue(yield* promise(() => hasFocus(json)))
      }
      yield* write(
        `[{ "type": "httpStatus", "status": 502, "when": [{ "user": ["u2"] }] }, { "type": "returnCode", "code": 1 }]`
      )
      yield* submit("Replace all")
      yield* waitFor(result.filter({ hasText: "Replaced" }))
      assert.isNull(yield* promise(() => json.getAttribute("aria-invalid")))
      assert.deepStrictEqual([yield* call("u2"), yield* call("u1")], [502, 1])

      const remove = page.getByRole("button", { name: "Remove httpStatus" })
      yield* tabTo(remove, "Shift+Tab")
      yield* promise(() => page.keyboard.press("Enter"))
      yield* waitFor(page.getByText("Removed httpStatus"))
      assert.deepStrictEqual(yield* faultsInForce, ["returnCode(code: 1)"])
      // The focus is not lost with the button.
      assert.match(
        yield* promise(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "")),
        /^Remove returnCode/
      )
      yield* tabTo(page.getByRole("button", { name: "Remove all" }), "Shift+Tab")
      yield* promise(() => page.keyboard.press("Space"))
      yield* waitFor(page.getByText("None: every call is answered as it should be."))
      assert.strictEqual(yield* call("u2"), 0)
      // 400 Bad Request is how the API says what is wrong, and the console repeats it.
      assert.lengthOf(
        problems.filter((problem) => !problem.includes("400 (Bad Request)")),
        0
      )
    }).pipe(start())
  )

  it.effect("knows each preset when it is set elsewhere, and switches it off alone", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const switches = page.locator("#presets input")
      const names = yield* texts(page.locator("#presets label"))
      for (const [i, name] of names.entries()) {
        yield* promise(() => switches.nth(i).check())
        yield* waitFor(page.getByText(`On: ${name}`))
      }
      const { faults } = yield* Emulator.Emulator
      assert.lengthOf(yield* faults.get, names.length)
      yield* faults.update((all) => [...all, FaultJson.make({ type: "hang", when: [{ user: ["nobody"] }] })])
      yield* promise(() => page.reload())
      yield* waitFor(page.getByText("hang when user nobody"))
      for (const [i, name] of names.entries()) {
        assert.isTrue(yield* promise(() => switches.nth(i).isChecked()), name)
        yield* promise(() => switches.nth(i).uncheck())
        yield* waitFor(page.getByText(`Off: ${name}`))
      }
      assert.deepStrictEqual(yield* faultsInForce, ["hang when user nobody"])
    }).pipe(start())
  )

  it.effect("freezes, sets and steps the clock by keyboard", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const { clock } = yield* Emulator.Emulator
      yield* tabTo(page.getByRole("switch", { name: "Frozen" }))
      yield* promise(() => page.keyboard.press("Space"))
      yield* waitFor(page.getByText("The clock stands"))
      assert.strictEqual((yield* clock.get).mode, "Frozen")
      yield* tabTo(page.getByRole("button", { name: "Set right" }))
      yield* promise(() => page.keyboard.press("Enter"))
      yield* waitFor(page.getByText("The clock is right"))
      assert.strictEqual((yield* clock.get).mode, "Real")

      const step = page.getByLabel("Step", { exact: true })
      yield* tabTo(step)
      yield* promise(() => step.fill("11 minutes"))
      yield* promise(() => page.keyboard.press("Enter"))
      yield* waitFor(page.getByText("11 min ahead"))
      assert.strictEqual(yield* call("u1"), 100000004)
      yield* waitFor(row(page, "expired"))
      yield* tabTo(page.getByRole("button", { name: "Step back" }))
      yield* promise(() => page.keyboard.press("Enter"))
      yield* waitFor(page.getByText("right", { exact: true }))
      assert.strictEqual(yield* call("u1"), 0)

      yield* promise(() => page.getByLabel("Offset").fill("-2 hours"))
      yield* promise(() => page.keyboard.press("Enter"))
      yield* waitFor(page.getByText("2 h behind"))
      yield* promise(() => page.getByLabel("Offset").fill("soon"))
      yield* promise(() => page.keyboard.press("Enter"))
      yield* waitFor(page.locator("#clock-result.error").filter({ hasText: /offset/ }))
      yield* waitFor(page.locator("#skew [aria-invalid=true]"))
    }).pipe(start())
  )

  it.effect("browses the world and changes it by keyboard", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const emulator = yield* Emulator.Emulator
      const list = Effect.fnUntraced(function* (userId: string) {
        const { users } = yield* emulator.world.get
        return users.find((user) => user.userId === userId)?.conversations.map(({ ConvId }) => ConvId)
      })
      yield* promise(() => page.getByLabel("Id contains").fill("u1"))
      yield* waitFor(page.locator("#users li:only-child").filter({ hasText: "u1" }))
      yield* tabTo(page.getByRole("button", { name: "u1 3 conversations" }))
      yield* promise(() => page.keyboard.press("Enter"))
      yield* waitFor(page.getByText("3, the latest first"))
      assert.deepStrictEqual(
        (yield* texts(page.locator("#conversations li > span"))).map((text) => text.split("\n")[0]),
        ["g3", "g2", "g1"]
      )
      yield* tabTo(page.getByRole("button", { name: "New message in g1" }))
      yield* promise(() => page.keyboard.press("Enter"))
      yield* waitFor(page.locator("#conversations li:first-child").filter({ hasText: "g1" }))
      yield* tabTo(page.getByRole("button", { name: "Disband g2" }))
      yield* promise(() => page.keyboard.press("Space"))
      yield* waitFor(page.getByText("Done: disband, g2"))
      assert.sameMembers([...((yield* list("u1")) ?? [])], ["g1", "g3"])
      assert.deepStrictEqual(yield* list("u2"), ["g1"])

      const what = page.getByLabel("What")
      const fill = Effect.fnUntraced(function* (
        choice: string,
        fields: Readonly<Record<string, string>>,
        done: string
      ) {
        yield* tabTo(what, "Shift+Tab")
        // As in any list of choices: typing finds one.
        yield* promise(() => page.keyboard.type(choice))
        for (const [label, value] of Object.entries(fields)) {
          yield* tabTo(page.getByLabel(label, { exact: true }))
          yield* promise(() => page.keyboard.press("ControlOrMeta+a"))
          yield* promise(() => page.keyboard.insertText(value))
        }
        yield* tabTo(page.getByRole("button", { name: "Do it" }))
        yield* promise(() => page.keyboard.press("Enter"))
        yield* waitFor(page.locator("#change-result").filter({ hasText: done }))
      })
      yield* tabTo(what)
      yield* fill("Register", { "User id": "newcomer" }, "Done: register, newcomer")
      assert.deepStrictEqual(yield* list("newcomer"), [])
      yield* fill("New message to a user", { "From user": "newcomer", "To user": "u1" }, "Done: message, newcomer, u1")
      assert.deepStrictEqual(yield* list("newcomer"), ["u1"])
      yield* fill("Create", { Group: "team", "Members, with commas": "u1, newcomer" }, "Done: createGroup, team, u1")
      yield* fill("Kick", { Group: "team", "User id": "u1" }, "Done: kick")
      yield* fill("Disband", { Group: "nowhere" }, "there is no group nowhere")
      assert.deepStrictEqual(yield* list("newcomer"), ["u1", "team"])
      yield* waitFor(page.getByText("4, the latest first"))
    }).pipe(start())
  )

  it.effect("has every control in the Tab order, named, and visibly focused", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      yield* promise(() => page.getByRole("button", { name: /^u1 / }).click())
      yield* waitFor(page.getByText("3, the latest first"))
      yield* promise(() => page.locator("#preset-0").check())
      yield* waitFor(page.getByText("On: "))
      // From the last control the focus leaves the page, and comes back to the first one.
      yield* tabTo(page.getByRole("link", { name: "Numbers of the journal" }))
      yield* promise(() => page.keyboard.press("Tab"))
      const expected = yield* promise(() =>
        page.evaluate(() => {
          const all = document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, [tabindex='0']")
          return [...all]
            .filter((element) => element.checkVisibility() && !element.matches(":disabled"))
            .map((element, i) => (element.dataset["order"] = String(i)))
        })
      )
      const walked: Array<string> = []
      for (const _ of expected) {
        const focused = yield* promise(async () => {
          await page.keyboard.press("Tab")
          return page.evaluate(() => {
            const element = document.activeElement
            if (!(element instanceof HTMLElement)) return { order: "", outline: "" }
            const { outlineStyle, outlineWidth } = getComputedStyle(element)
            return { order: element.dataset["order"] ?? "", outline: `${outlineStyle} ${outlineWidth}` }
          })
        })
        walked.push(`${focused.order}: ${focused.outline}`)
      }
      assert.isAbove(expected.length, 40)
      assert.deepStrictEqual(
        walked,
        expected.map((order) => `${order}: solid 3px`)
      )

      const session = yield* promise(() => page.context().newCDPSession(page))
      const { nodes } = yield* promise(() => session.send("Accessibility.getFullAXTree"))
      const controls = new Set([
        "button",
        "textbox",
        "searchbox",
        "combobox",
        "switch",
        "checkbox",
        "link",
        "region",
        "meter",
        "img"
      ])
      const found = nodes.filter(({ role }) => controls.has(String(role?.value)))
      assert.isAbove(found.length, 40)
      assert.deepStrictEqual(
        found.filter(({ name }) => String(name?.value ?? "").trim() === ""),
        []
      )
    }).pipe(start())
  )

  it.effect("has a light and a dark face, both with enough contrast, and no motion for who wants none", () =>
    Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      yield* faults.set([
        Fault.returnCode(1).pipe(Fault.when(Fault.user("u2"))),
        Fault.returnCode(660300005).pipe(Fault.when(Fault.user("empty")))
      ])
      const look = Effect.fnUntraced(function* (colorScheme: "light" | "dark") {
        const { page } = yield* open({ colorScheme, reducedMotion: "reduce" })
        for (const userId of ["u1", "u2", "empty"]) yield* call(userId)
        yield* waitFor(row(page, "empty"))
        yield* promise(() => page.getByRole("button", { name: /^u1 / }).click())
        yield* waitFor(page.getByText("3, the latest first"))
        yield* promise(() => page.getByLabel("Any fault").fill("{"))
        yield* promise(() => page.getByRole("button", { name: "Add", exact: true }).click())
        yield* waitFor(page.locator("#fault-result.error"))
        yield* promise(() => page.getByRole("button", { name: "Pause" }).click())
        const measured = yield* promise(() => page.evaluate(contrasts))
        assert.isAbove(measured.length, 60)
        assert.deepStrictEqual(
          measured.filter(({ ratio }) => ratio < 4.5),
          []
        )
        assert.strictEqual(yield* promise(() => page.evaluate(() => document.getAnimations().length)), 0)
        return yield* promise(() => page.screenshot())
      })
      const light = yield* look("light")
      const dark = yield* look("dark")
      assert.isFalse(light.equals(dark))
    }).pipe(start())
  )

  it.effect("fits 320 and 360 pixels, and twice the size of letters", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      for (const userId of ["u1", "x".repeat(32)]) yield* call(userId)
      yield* waitFor(row(page, "x".repeat(32)))
      yield* promise(() => page.getByRole("button", { name: /^u1 / }).click())
      yield* waitFor(page.getByText("3, the latest first"))
      // At 200 % a window of 1280 pixels is one of 640.
      for (const width of [1280, 640, 360, 320]) {
        yield* promise(() => page.setViewportSize({ width, height: 800 }))
        const overflowing = yield* promise(() =>
          page.evaluate(() => {
            const isHidden = (element: Element) => element.closest(".hidden, .skip, thead") !== null
            const { clientWidth, scrollWidth } = document.documentElement
            const wide = [...document.querySelectorAll("body *")].filter(
              (element) => !isHidden(element) && element.getBoundingClientRect().right > clientWidth + 0.5
            )
            return [scrollWidth - clientWidth, ...wide.map(({ id, tagName }) => `${tagName}#${id}`)]
          })
        )
        assert.deepStrictEqual(overflowing, [0], `${width} pixels`)
      }
      yield* promise(() => page.evaluate(() => (document.documentElement.style.fontSize = "200%")))
      yield* promise(() => page.setViewportSize({ width: 640, height: 800 }))
      assert.strictEqual(yield* promise(() => page.evaluate(() => document.documentElement.scrollWidth)), 640)
    }).pipe(start())
  )

  it.effect("takes ids that look like markup for text", () => {
    const hostile: World.World = worldOf({
      [evil.user]: [{ ConvId: evil.group, ConvType: 2, UpdateTime: 1_700_000_000_000 }]
    })
    return Effect.gen(function* () {
      const { page, problems } = yield* open()
      yield* call(evil.user)
      yield* call(evil.stranger)
      yield* waitFor(entries(page).getByText(evil.user, { exact: true }))
      yield* waitFor(entries(page).getByText(evil.stranger, { exact: true }))
      yield* promise(() => page.locator("#users button").first().click())
      yield* waitFor(page.getByRole("heading", { name: `Conversations of ${evil.user}` }))
      yield* waitFor(page.locator("#conversations").getByText(evil.group))
      yield* promise(() => page.getByRole("button", { name: `New message in ${evil.group}` }).click())
      yield* waitFor(page.getByText(`Done: message, ${evil.user}, ${evil.group}`))
      const { faults } = yield* Emulator.Emulator
      yield* faults.set([Fault.hang.pipe(Fault.when(Fault.user(evil.user)))])
      yield* waitFor(page.locator("#in-force").getByText(evil.user))
      const foreign = yield* promise(() =>
        page.locator("body img, body svg[onload], #world script, #entries script").count()
      )
      assert.strictEqual(foreign, 0)
      assert.deepStrictEqual(problems, [])
    }).pipe(start({ world: hostile }))
  })
})

/** Runs in the page: the contrast of every piece of text with what is behind it, by WCAG 2. */
const contrasts = () => {
  const rgb = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = rgb(color).map((value) => {
      const share = value / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element: Element | null): string => {
    if (element === null) return "rgb(255, 255, 255)"
    const { backgroundColor } = getComputedStyle(element)
    return rgb(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor
  }
  const measure = (element: Element, color: string) => {
    const [light = 0, dark = 0] = [luminance(color), luminance(behind(element))].toSorted((a, b) => b - a)
    return { text: element.textContent.slice(0, 40) || element.tagName, color, ratio: (light + 0.05) / (dark + 0.05) }
  }
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.checkVisibility() && element.closest("script, .hidden") === null)
    .flatMap((element) => {
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim() !== "")
      const isField = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
      if (!hasText && !isField) return []
      const own = measure(element, getComputedStyle(element).color)
      return isField ? [own, measure(element, getComputedStyle(element, "::placeholder").color)] : [own]
    })
}
