/**
 * The inspector: shows what a running emulator does and steers it, through the admin API that serves this page.
 *
 * What comes from the API enters the document as text only (`append`, `textContent`); the page's policy forbids markup
 * from strings altogether.
 *
 * @typedef {typeof import("@effect-zim/emulator/AdminApi").Status.Encoded} Status
 * @typedef {typeof import("@effect-zim/emulator/AdminApi").Gauge.Encoded} Gauge
 * @typedef {typeof import("@effect-zim/emulator/AdminApi").SetFault.Encoded} SetFault
 * @typedef {typeof import("@effect-zim/emulator/AdminApi").ClockView.Encoded} ClockView
 * @typedef {typeof import("@effect-zim/emulator/AdminApi").UserSummary.Encoded} UserSummary
 * @typedef {import("@effect-zim/emulator").FaultJson.Json} FaultJson
 * @typedef {import("@effect-zim/emulator").Journal.Stats} Stats
 * @typedef {import("@effect-zim/protocol").Conversation.Wire} Conversation
 * @typedef {{ [Key in keyof import("@effect-zim/emulator").Journal.Entry]:
 *   import("@effect-zim/emulator").Journal.Entry[Key] | null }} Entry
 */

// The document

/**
 * @template {Element} E
 * @param {string} id
 * @param {new () => E} type
 * @returns {E}
 */
const get = (id, type) => {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new Error(`the page has no ${type.name} called ${id}`)
}

/** @param {string} id */
const at = (id) => get(id, HTMLElement)

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {Array<string | Node>} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
const shape = (tag, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  return made
}

/**
 * @param {Element} target
 * @param {string} type
 * @param {() => unknown} run
 */
const on = (target, type, run) => target.addEventListener(type, () => void run())

/**
 * @param {string} text
 * @param {() => unknown} press
 * @param {Record<string, string>} [attributes]
 */
const button = (text, press, attributes = {}) => {
  const made = element("button", { type: "button", "data-key": text, ...attributes }, text)
  on(made, "click", press)
  return made
}

/**
 * Replaces what is in a container. The focus stays on the control that stands for the same thing, or in the container.
 *
 * @param {Element} container
 * @param {ReadonlyArray<Node>} children
 */
const fill = (container, children) => {
  const focused = container.contains(document.activeElement) ? document.activeElement : null
  container.replaceChildren(...children)
  if (!(focused instanceof HTMLElement)) return
  const buttons = [...container.querySelectorAll("button")].filter(({ disabled }) => !disabled)
  const same = buttons.find(({ dataset }) => dataset["key"] === focused.dataset["key"])
  const next = same ?? buttons[0] ?? container.closest("[tabindex]")
  if (next instanceof HTMLElement) next.focus()
}

/**
 * @param {HTMLElement} place
 * @param {string} text
 * @param {boolean} [isError]
 */
const say = (place, text, isError = false) => {
  place.textContent = text
  place.classList.toggle("error", isError)
}

// The API

/**
 * What each route answers.
 *
 * @typedef {{
 *   "GET /status": Status
 *   "GET /users": { readonly total: number, readonly users: ReadonlyArray<UserSummary> }
 *   "GET /users/:id/conversations": { readonly total: number, readonly conversations: ReadonlyArray<Conversation> }
 *   "POST /change": undefined
 *   "GET /faults": ReadonlyArray<SetFault>
 *   "PUT /faults": ReadonlyArray<SetFault>
 *   "POST /faults": ReadonlyArray<SetFault>
 *   "DELETE /faults": undefined
 *   "DELETE /faults/:id": ReadonlyArray<SetFault>
 *   "GET /quota": { readonly gauges: ReadonlyArray<Gauge> }
 *   "GET /clock": ClockView
 *   "PUT /clock": ClockView
 *   "POST /clock/step": ClockView
 *   "GET /journal": ReadonlyArray<Entry>
 *   "GET /journal/stats": Stats
 *   "DELETE /journal": undefined
 * }} Answers
 */

/** @param {string} text */
const problemIn = (text) => {
  /** @type {{ readonly problem?: string } | null} */
  const json = JSON.parse(text)
  return json?.problem
}

/**
 * @template {keyof Answers} Route
 * @param {Route} route
 * @param {{
 *   readonly body?: unknown
 *   readonly id?: string
 *   readonly query?: Readonly<Record<string, string | number>>
 * }} [options]
 * @returns {Promise<Answers[Route]>}
 */
const call = async (route, { body, id = "", query = {} } = {}) => {
  const [method = "", path = ""] = route.replace(":id", encodeURIComponent(id)).split(" ")
  const given = Object.entries(query).flatMap(([name, value]) => (value === "" ? [] : [[name, String(value)]]))
  const response = await fetch(`${path}?${new URLSearchParams(given)}`, {
    method,
    headers: method === "GET" ? {} : { "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) })
  })
  const text = await response.text()
  if (!response.ok) throw new Error(problemIn(text) ?? `HTTP ${response.status}`)
  return JSON.parse(text || "null")
}

/**
 * One thing that the server keeps and the page shows. Answers may come late and out of order: one is shown only if
 * nothing was shown since that was asked for later, and if nothing was changed here since it was asked for. Changes are
 * sent one after the other, and what the last of them answers is shown.
 */
const kept = () => {
  let asked = 0
  let passed = 0
  let changing = 0
  /** @type {Promise<unknown>} */
  let last = Promise.resolve()
  const outdate = () => {
    passed = asked
  }
  return {
    /** What was asked for until now is not wanted any more. */
    outdate,
    /**
     * @template A
     * @param {() => Promise<A>} question
     * @param {(answer: A) => void} show
     */
    ask: async (question, show) => {
      const mine = ++asked
      const answer = await question()
      if (changing > 0 || mine <= passed) return
      passed = mine
      show(answer)
    },
    /**
     * @template A
     * @param {() => Promise<A>} send
     * @param {(answer: A) => void} show
     */
    change: async (send, show) => {
      changing++
      const sent = last.then(send)
      last = sent.catch(() => undefined)
      try {
        const answer = await sent
        if (changing === 1) show(answer)
      } finally {
        changing--
        outdate()
      }
    }
  }
}

/** @param {unknown} error */
const problemOf = (error) => (error instanceof Error ? error.message.replace(/^Body: /, "") : String(error))

/**
 * Does something, and says there how it went.
 *
 * @param {string} place
 * @param {() => Promise<string>} action
 * @param {HTMLElement} [field]
 */
const attempt = async (place, action, field) => {
  try {
    say(at(place), await action())
    field?.removeAttribute("aria-invalid")
  } catch (error) {
    say(at(place), problemOf(error), true)
    field?.setAttribute("aria-invalid", "true")
    field?.focus()
  }
}

/**
 * @param {string} id
 * @param {(form: FormData, submitter: string) => unknown} submit
 */
const onSubmit = (id, submit) =>
  at(id).addEventListener("submit", (event) => {
    event.preventDefault()
    const by = event.submitter instanceof HTMLButtonElement ? event.submitter.value : ""
    void submit(new FormData(get(id, HTMLFormElement)), by)
  })

/**
 * @param {FormData} form
 * @param {string} name
 */
const textOf = (form, name) => {
  const value = form.get(name)
  return typeof value === "string" ? value.trim() : ""
}

/**
 * Makes a function that runs once for calls that come close together.
 *
 * @param {number} millis
 * @param {() => unknown} run
 */
const gathered = (millis, run) => {
  let planned = false
  return () => {
    if (planned) return
    planned = true
    setTimeout(() => {
      planned = false
      run()
    }, millis)
  }
}

/** @param {number} time */
const timeOf = (time) => {
  const date = new Date(time)
  const text = `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`
  return element("time", { datetime: date.toISOString(), title: date.toISOString() }, text)
}

/** @param {number} time */
const dateOf = (time) =>
  new Date(time)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC")

/** @type {(count: number, noun: string) => string} */
const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`

// Quota

const rateLimited = 660300005
const seconds = 60

/** The calls of the last minute. @type {Map<string, Entry>} */
const recent = new Map()

/** @param {Entry} entry */
const keyOf = (entry) => `${entry.index}:${entry.time}`

/** @param {Entry} entry */
const record = (entry) => recent.set(keyOf(entry), entry)

/**
 * How many calls passed and were rejected in each of the last seconds, the oldest first.
 *
 * @param {Gauge} gauge
 * @param {number} now
 */
const history = ({ action, appId }, now) => {
  const first = Math.floor(now / 1000) - seconds + 1
  const counts = Array.from({ length: seconds }, () => ({ passed: 0, rejected: 0 }))
  for (const [key, entry] of recent) {
    const second = Math.floor((entry.time ?? 0) / 1000) - first
    if (second < 0) recent.delete(key)
    const count = entry.appId === appId && (action === null || entry.action === action) ? counts[second] : undefined
    if (count !== undefined) count[entry.code === rateLimited ? "rejected" : "passed"]++
  }
  return counts
}

/**
 * @param {ReturnType<typeof history>} bars
 * @param {number} limit
 */
const chart = (bars, limit) => {
  const sum = bars.reduce((total, bar) => ({
    passed: total.passed + bar.passed,
    rejected: total.rejected + bar.rejected
  }))
  const most = Math.max(...bars.map(({ passed, rejected }) => passed + rejected))
  const top = Math.max(most, limit, 4) * 1.1
  const height = (/** @type {number} */ count) => (count / top) * 60
  const svg = shape("svg", {
    viewBox: "0 0 240 60",
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `The last ${seconds} seconds: ${sum.passed} calls passed, ${sum.rejected} rejected, at most ${most} in a second`
  })
  bars.forEach(({ passed, rejected }, i) => {
    const bar = (/** @type {string} */ name, /** @type {number} */ y, /** @type {number} */ count) =>
      count > 0 &&
      svg.append(shape("rect", { class: name, x: i * 4, y: 60 - height(y), width: 3, height: height(count) }))
    bar("bar", passed, passed)
    bar("bar rejected", passed + rejected, rejected)
  })
  const y = 60 - height(limit)
  if (limit > 0) svg.append(shape("line", { class: "limit", x1: 0, x2: 240, y1: y, y2: y }))
  const legend = element(
    "p",
    { class: "legend" },
    element("span", {}, element("i"), `${sum.passed} passed`),
    element("span", {}, element("i", { class: "rejected" }), `${sum.rejected} rejected`),
    element("span", {}, `in the last ${seconds} s`)
  )
  return [svg, legend]
}

/** @param {Gauge} gauge */
const capacityOf = ({ available, quota, used }) => {
  if (available === null || quota.model === "Unlimited") return undefined
  const limit = quota.limit ?? 20
  if (quota.model === "Leaky") return used + available
  return quota.model === "TokenBucket" ? (quota.burst ?? limit) : limit
}

/** @param {Gauge} gauge */
const isPerSecond = ({ quota }) =>
  quota.model !== "Unlimited" && (quota.window === 1000 || quota.window === "1 second" || quota.window === undefined)

/**
 * @param {Gauge} gauge
 * @param {number} now
 */
const showGauge = (gauge, now) => {
  const { action, appId, description, quota, used } = gauge
  const name = action === null ? `AppID ${appId}` : `AppID ${appId}, ${action}`
  const capacity = capacityOf(gauge)
  const share = capacity === undefined ? 0 : Math.min(1, used / Math.max(capacity, 1))
  const inner = element("div")
  inner.style.width = `${share * 100}%`
  const meter = element(
    "div",
    {
      class: share >= 1 ? "meter full" : "meter",
      role: "meter",
      "aria-label": `${name}: used`,
      "aria-valuemin": "0",
      "aria-valuemax": String(capacity ?? 0),
      "aria-valuenow": String(Math.min(used, capacity ?? 0)),
      "aria-valuetext": capacity === undefined ? "no limit" : `${used} of ${capacity}`
    },
    inner
  )
  const line = isPerSecond(gauge) && quota.model !== "Unlimited" ? (quota.limit ?? 20) : 0
  return element(
    "li",
    { class: "gauge" },
    element(
      "div",
      { class: "row" },
      element("h3", {}, name),
      element("strong", {}, capacity === undefined ? "no limit" : `${used} / ${capacity}`)
    ),
    meter,
    element("p", { class: "muted" }, description),
    ...chart(history(gauge, now), line)
  )
}

const quota = kept()

const showQuota = () =>
  quota.ask(
    () => Promise.all([call("GET /quota"), call("GET /clock")]),
    ([{ gauges }, { real }]) =>
      fill(
        at("gauges"),
        gauges.map((gauge) => showGauge(gauge, real))
      )
  )

const showQuotaSoon = gathered(150, () => showQuota().catch(lost))

// Journal

const shownEntries = 200
/** @type {Map<string, HTMLElement>} */
const rows = new Map()
/** @type {Array<Entry>} */
let arrived = []
/** For each question under way, the entries that came since. @type {Set<Array<Entry>>} */
const underWay = new Set()
let paused = false
let missed = 0

const filter = () => {
  const form = new FormData(get("filter", HTMLFormElement))
  return { userId: textOf(form, "userId"), code: textOf(form, "code"), fault: textOf(form, "fault") }
}

/** @param {Entry} entry */
const passes = (entry) => {
  const { code, fault, userId } = filter()
  return (
    (userId === "" || entry.userId === userId) &&
    (code === "" || entry.code === Number(code)) &&
    (fault === "" || (entry.faults ?? []).some((name) => name === fault || name.startsWith(`${fault} `)))
  )
}

/** @param {Entry} entry */
const rowOf = (entry) => {
  const { code } = entry
  const cell = (/** @type {Array<string | Node>} */ ...children) => element("td", { role: "cell" }, ...children)
  const tone = code === 0 ? "good" : code === rateLimited ? "" : "bad"
  const chip = element("span", { class: `chip ${tone}` }, code === null ? "none" : code === 0 ? "0 ok" : String(code))
  const why = [
    ...(code === 0 || entry.reason === null ? [] : [String(entry.reason)]),
    ...(entry.nonceReused === true ? ["nonce reused"] : []),
    ...(entry.status === null ? ["no answer was sent"] : [])
  ].join("; ")
  const faults = (entry.faults ?? []).join(", ")
  return element(
    "tr",
    { role: "row", class: "new" },
    cell(`${entry.index}`),
    cell(timeOf(entry.time ?? 0)),
    cell(String(entry.appId ?? "–")),
    cell(entry.userId ?? "–"),
    cell(String(entry.page ?? "–")),
    cell(chip),
    cell(String(entry.status ?? "–")),
    cell(why, why !== "" && faults !== "" ? " " : "", element("span", { class: "fault" }, faults))
  )
}

const showCount = () => {
  const shown = rows.size === shownEntries ? `the latest ${shownEntries}` : counted(rows.size, "call")
  at("journal-count").textContent = paused ? `Paused, ${missed} more since` : shown
  at("no-entries").hidden = rows.size > 0
}

/** @param {ReadonlyArray<Entry>} entries oldest first */
const addRows = (entries) => {
  for (const entry of entries.slice(-shownEntries)) {
    const key = keyOf(entry)
    if (rows.has(key)) continue
    const row = rowOf(entry)
    rows.set(key, row)
    at("entries").prepend(row)
  }
  for (const [key, row] of rows) {
    if (rows.size <= shownEntries) break
    rows.delete(key)
    row.remove()
  }
  showCount()
}

const journal = kept()
const chartedCalls = kept()

/**
 * Asks for entries; those that come from the stream meanwhile are shown with them.
 *
 * @param {ReturnType<typeof kept>} thing
 * @param {() => Promise<ReadonlyArray<Entry>>} question
 * @param {(entries: ReadonlyArray<Entry>) => void} show
 */
const askForEntries = async (thing, question, show) => {
  /** @type {Array<Entry>} */
  const meanwhile = []
  underWay.add(meanwhile)
  try {
    await thing.ask(question, (entries) => show([...entries, ...meanwhile]))
  } finally {
    underWay.delete(meanwhile)
  }
}

/** @param {ReadonlyArray<Entry>} entries */
const showEntries = (entries) => {
  missed = 0
  rows.clear()
  at("entries").replaceChildren()
  addRows(entries.filter(passes))
}

const reload = async () => {
  const { code, ...others } = filter()
  journal.outdate()
  if (!/^\d*$/.test(code)) return
  const query = { code, ...others, latest: shownEntries }
  await askForEntries(journal, () => call("GET /journal", { query }), showEntries)
}

const forget = () =>
  journal.change(
    () => call("DELETE /journal"),
    () => {
      arrived = []
      showCharted([])
      showEntries([])
    }
  )

/** @type {Array<Entry>} */
let untold = []

// A person who listens is told in one sentence every few seconds, however many calls there are.
const announce = gathered(3000, () => {
  const last = untold.at(-1)
  if (last === undefined) return
  const failed = untold.filter(({ code }) => code !== 0).length
  const latest = `The latest: ${last.userId ?? "no user"}, ${last.code === null ? "no code" : `code ${last.code}`}.`
  at("news").textContent = `${counted(untold.length, "new call")}, ${failed} without success. ${latest}`
  untold = []
})

const flush = gathered(100, () => {
  const entries = arrived
  arrived = []
  showQuotaSoon()
  const found = entries.filter(passes)
  if (found.length === 0) return
  if (paused) {
    missed += found.length
    return showCount()
  }
  addRows(found)
  untold.push(...found)
  announce()
})

const setUpJournal = () => {
  const pause = get("pause", HTMLButtonElement)
  on(pause, "click", () => {
    paused = !paused
    missed = 0
    pause.setAttribute("aria-pressed", String(paused))
    journal.outdate()
    if (paused) showCount()
    else reload().catch(lost)
  })
  on(at("forget"), "click", () => forget().then(refresh).catch(lost))
  const changed = gathered(150, () => {
    const { code } = filter()
    const field = at("filter").querySelector("[name=code]")
    if (/^\d*$/.test(code)) field?.removeAttribute("aria-invalid")
    else field?.setAttribute("aria-invalid", "true")
    reload().catch(lost)
  })
  at("filter").addEventListener("input", changed)
  at("filter").addEventListener("reset", changed)
  onSubmit("filter", changed)
  on(at("filter"), "focusin", async () => {
    const stats = await call("GET /journal/stats")
    const suggest = (/** @type {string} */ id, /** @type {ReadonlyArray<string>} */ values) =>
      at(id).replaceChildren(...values.slice(0, 100).map((value) => element("option", { value })))
    suggest("seen-users", Object.keys(stats.attempts))
    suggest("seen-codes", Object.keys(stats.codes))
    suggest("seen-faults", Object.keys(stats.faults))
  })
}

// Faults

/** @type {ReadonlyArray<readonly [name: string, fault: FaultJson]>} */
const presets = [
  ["660300005, every 5th call", { type: "returnCode", code: rateLimited, when: [{ every: 5 }] }],
  ["Code 1 (busy), every 3rd call", { type: "returnCode", code: 1, when: [{ every: 3 }] }],
  ["Connection reset, every 5th call", { type: "connectionReset", when: [{ every: 5 }] }],
  ["Answer lost, every 5th call", { type: "answerLost", when: [{ every: 5 }] }],
  ["HTML 502, every 5th call", { type: "httpStatus", status: 502, when: [{ every: 5 }] }],
  ["Body cut off, every 5th call", { type: "truncatedBody", when: [{ every: 5 }] }],
  ["300 ms latency", { type: "latency", duration: 300 }],
  ["Cursors beyond 2^53", { type: "largeCursors" }]
]

/** @type {ReadonlyArray<SetFault>} */
let inForce = []

/** @param {unknown} a @param {unknown} b @returns {boolean} */
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

/** @param {ReadonlyArray<SetFault>} list */
const showFaults = (list) => {
  const unchanged = same(list, inForce)
  inForce = list
  presets.forEach(([, preset], i) => {
    get(`preset-${i}`, HTMLInputElement).checked = list.some(({ json }) => same(json, preset))
  })
  if (unchanged && at("in-force").hasChildNodes()) return
  const items = list.map(({ description, id }) => {
    const remove = () =>
      changeFaults("faults-result", () => call("DELETE /faults/:id", { id }), `Removed ${description}`)
    const press = button("Remove", remove, { "aria-label": `Remove ${description}` })
    return element("li", {}, element("span", {}, description), press)
  })
  fill(
    at("in-force"),
    items.length > 0 ? items : [element("li", { class: "muted" }, "None: every call is answered as it should be.")]
  )
  get("no-faults", HTMLButtonElement).disabled = list.length === 0
}

const faults = kept()

/**
 * Sends a change, not the list as it was here: somebody else may have changed it meanwhile.
 *
 * @param {string} place
 * @param {() => Promise<ReadonlyArray<SetFault>>} send
 * @param {string} done
 * @param {HTMLElement} [field]
 */
const changeFaults = async (place, send, done, field) => {
  await attempt(place, () => faults.change(send, showFaults).then(() => done), field)
  await refresh()
}

/** @param {FaultJson} preset @param {boolean} wanted */
const switchPreset = async (preset, wanted) => {
  const before = await call("GET /faults")
  const there = before.filter(({ json }) => same(json, preset))
  if (wanted) return there.length > 0 ? before : call("POST /faults", { body: preset })
  await Promise.all(there.map(({ id }) => call("DELETE /faults/:id", { id })))
  return call("GET /faults")
}

const setUpFaults = () => {
  at("presets").append(
    ...presets.map(([name, preset], i) => {
      const input = element("input", { type: "checkbox", role: "switch", id: `preset-${i}` })
      on(input, "change", () => {
        const wanted = input.checked
        return changeFaults("faults-result", () => switchPreset(preset, wanted), `${wanted ? "On" : "Off"}: ${name}`)
      })
      return element("li", {}, element("label", { class: "switch" }, input, name))
    })
  )
  on(at("no-faults"), "click", async () => {
    await changeFaults("faults-result", () => call("DELETE /faults").then(() => []), "Removed all faults")
    at("in-force").focus()
  })
  onSubmit("fault", (_, submitter) => {
    const field = get("fault-json", HTMLTextAreaElement)
    const isReplaced = submitter === "replace"
    const send = async () => {
      /** @type {unknown} */
      const json = JSON.parse(field.value)
      if (isReplaced) return call("PUT /faults", { body: Array.isArray(json) ? json : [json] })
      return call("POST /faults", { body: json })
    }
    return changeFaults("fault-result", send, isReplaced ? "Replaced" : "Added", field)
  })
}

// Clock

/** @param {number} millis */
const lengthOf = (millis) => {
  const total = Math.round(Math.abs(millis) / 100) / 10
  const [hours, minutes, rest] = [
    Math.floor(total / 3600),
    Math.floor((total % 3600) / 60),
    Math.round((total % 60) * 10) / 10
  ]
  return [hours > 0 && `${hours} h`, minutes > 0 && `${minutes} min`, rest > 0 && `${rest} s`].filter(Boolean).join(" ")
}

/** @param {ClockView} view */
const showClock = ({ clock, real, shown }) => {
  const ahead = shown - real
  const off = lengthOf(ahead)
  at("shown").textContent = dateOf(shown)
  const difference = off === "" ? "right" : `${off} ${ahead < 0 ? "behind" : "ahead"}`
  at("offset").textContent = clock.mode === "Skewed" ? difference : `${clock.mode}, ${difference}`
  get("frozen", HTMLInputElement).checked = clock.mode === "Frozen"
}

const clock = kept()

/**
 * @param {() => Promise<ClockView>} send
 * @param {string} done
 * @param {HTMLElement} [field]
 */
const changeClock = async (send, done, field) => {
  await attempt("clock-result", () => clock.change(send, showClock).then(() => done), field)
  await refresh()
}

/** @param {string} text a number of milliseconds, or a text such as "11 minutes" @returns {number | string} */
const durationOf = (text) => (/^[+-]?\d+$/.test(text) ? Number(text) : text.replace(/^\+/, ""))

/** @param {number | string} duration */
const negated = (duration) => {
  if (typeof duration === "number") return -duration
  return duration.startsWith("-") ? duration.slice(1) : `-${duration}`
}

/** @param {string} id */
const durationField = (id) => {
  const field = at(id).querySelector("input")
  if (field === null) throw new Error(`${id} has no field`)
  return field
}

const setUpClock = () => {
  const frozen = get("frozen", HTMLInputElement)
  on(frozen, "change", () => {
    const mode = frozen.checked ? "Frozen" : "Real"
    return changeClock(
      () => call("PUT /clock", { body: { mode } }),
      frozen.checked ? "The clock stands" : "The clock is right"
    )
  })
  on(at("right"), "click", () =>
    changeClock(() => call("PUT /clock", { body: { mode: "Real" } }), "The clock is right")
  )
  onSubmit("skew", (form) => {
    const offset = durationOf(textOf(form, "duration"))
    return changeClock(
      () => call("PUT /clock", { body: { mode: "Skewed", offset } }),
      "The offset is set",
      durationField("skew")
    )
  })
  onSubmit("step", (form, submitter) => {
    const length = durationOf(textOf(form, "duration"))
    const by = submitter === "back" ? negated(length) : length
    const done = `Stepped ${submitter === "back" ? "back" : "forward"}`
    return changeClock(() => call("POST /clock/step", { body: { by } }), done, durationField("step"))
  })
}

// World

const perPage = 12
const users = { search: "", offset: 0, shown: "" }
/** @type {{ id: string | undefined, offset: number, shown: string }} */
const chosen = { id: undefined, offset: 0, shown: "" }
const userList = kept()
const conversationList = kept()

/**
 * @param {string} id
 * @param {{ offset: number }} place
 * @param {number} total
 * @param {() => Promise<unknown>} show
 */
const showPager = (id, place, total, show) => {
  const turn = (/** @type {string} */ text, /** @type {number} */ offset, /** @type {boolean} */ isThere) => {
    const made = button(text, () => {
      place.offset = offset
      return show().catch(lost)
    })
    made.disabled = !isThere
    return made
  }
  const end = Math.min(place.offset + perPage, total)
  const range = element("span", { class: "muted" }, total === 0 ? "" : `${place.offset + 1} to ${end} of ${total}`)
  const previous = turn("Previous", Math.max(0, place.offset - perPage), place.offset > 0)
  const next = turn("Next", place.offset + perPage, end < total)
  fill(at(id), total > perPage ? [previous, next, range] : [])
}

/** @param {Answers["GET /users"]} found */
const showFoundUsers = (found) => {
  const shown = JSON.stringify([found, users.offset, chosen.id])
  if (shown === users.shown) return
  users.shown = shown
  const items = found.users.map(({ conversations, userId }) => {
    const count = element("span", {}, counted(conversations, "conversation"))
    const current = { "data-key": userId, ...(userId === chosen.id && { "aria-current": "true" }) }
    const made = button("", () => choose(userId), current)
    made.append(element("span", {}, userId), " ", count)
    return element("li", {}, made)
  })
  fill(at("users"), items.length > 0 ? items : [element("li", { class: "muted" }, "No such user.")])
  showPager("users-pager", users, found.total, findUsers)
}

const showUsers = () =>
  userList.ask(async () => {
    const page = () => call("GET /users", { query: { search: users.search, offset: users.offset, limit: perPage } })
    const found = await page()
    if (found.users.length > 0 || users.offset === 0) return found
    users.offset = 0
    return page()
  }, showFoundUsers)

/** After a change of what is searched for. */
const findUsers = () => {
  userList.outdate()
  return showUsers()
}

/** @type {Readonly<Record<number, string>>} */
const typeNames = { 0: "one-to-one", 1: "room", 2: "group", 3: "community channel" }

/** @param {string} userId @param {Conversation} conversation */
const conversationItem = (userId, { ConvId, ConvType, UpdateTime }) => {
  const item = element(
    "li",
    {},
    element(
      "span",
      {},
      ConvId,
      element("small", {}, `${typeNames[ConvType ?? 0] ?? `type ${ConvType}`}, ${dateOf(UpdateTime)}`)
    )
  )
  const add = (/** @type {string} */ text, /** @type {string} */ label, /** @type {object} */ change) =>
    item.append(
      button(text, () => attempt("change-result", () => happen(change)), { "aria-label": label, "data-key": label })
    )
  if ((ConvType ?? 0) === 0) add("Message", `New message with ${ConvId}`, { type: "message", from: userId, to: ConvId })
  if (ConvType === 2) {
    add("Message", `New message in ${ConvId}`, { type: "message", from: userId, group: ConvId })
    add("Disband", `Disband ${ConvId}`, { type: "disband", group: ConvId })
  }
  return item
}

const showUser = async () => {
  const userId = chosen.id
  if (userId === undefined) return
  const page = (/** @type {number} */ offset, /** @type {number} */ limit) =>
    call("GET /users/:id/conversations", { id: userId, query: { offset, limit } })
  await conversationList.ask(
    async () => {
      // The latest first: the list's own order is the other way round.
      const { total } = await page(0, 0)
      const offset = chosen.offset < total ? chosen.offset : 0
      const end = total - offset
      const start = Math.max(0, end - perPage)
      const { conversations } = await page(start, end - start)
      return { conversations, offset, total }
    },
    ({ conversations, offset, total }) => {
      const shown = JSON.stringify([userId, total, offset, conversations])
      chosen.offset = offset
      if (shown === chosen.shown) return
      chosen.shown = shown
      at("user-title").textContent = `Conversations of ${userId}`
      at("user-note").textContent = total === 0 ? "None." : `${total}, the latest first`
      const latestFirst = conversations.toReversed()
      fill(
        at("conversations"),
        latestFirst.map((conversation) => conversationItem(userId, conversation))
      )
      showPager("conversations-pager", chosen, total, turnUser)
    }
  )
}

const turnUser = () => {
  conversationList.outdate()
  return showUser()
}

const showWorld = () => Promise.all([showUsers(), showUser()])

/** @param {string} userId */
const choose = (userId) => {
  Object.assign(chosen, { id: userId, offset: 0 })
  for (const name of ["from", "userId"]) {
    const field = at("change").querySelector(`[name=${name}]`)
    if (field instanceof HTMLInputElement && (name === "from" || field.value === "")) field.value = userId
  }
  conversationList.outdate()
  return showWorld().catch((error) => {
    if (userId !== chosen.id) return
    say(at("user-note"), problemOf(error))
    chosen.shown = ""
    fill(at("conversations"), [])
  })
}

/** @type {Readonly<Record<string, readonly [type: string, ...fields: Array<string>]>>} */
const changes = {
  "New message to a user": ["message", "from", "to"],
  "New message to a group": ["message", "from", "group"],
  "Create a group": ["createGroup", "group", "members"],
  "Disband a group": ["disband", "group"],
  "Register a user": ["register", "userId"],
  "Kick a user out of a group": ["kick", "group", "userId"]
}

/** @param {object} change */
const happen = async (change) => {
  await call("POST /change", { body: change })
  await showWorld()
  return `Done: ${Object.values(change).flat().join(", ")}`
}

const setUpWorld = () => {
  const what = get("change", HTMLFormElement).querySelector("select")
  if (what === null) throw new Error("the form has no choice")
  what.append(...Object.keys(changes).map((name) => element("option", {}, name)))
  const fieldsOf = () => changes[what.value] ?? ["message"]
  const showFields = () => {
    for (const label of at("change").querySelectorAll("[data-field]")) {
      if (!(label instanceof HTMLElement)) continue
      label.hidden = !fieldsOf()
        .slice(1)
        .includes(label.dataset["field"] ?? "")
      for (const input of label.querySelectorAll("input")) input.disabled = label.hidden
    }
  }
  what.addEventListener("change", showFields)
  showFields()
  onSubmit("change", (form) =>
    attempt("change-result", () => {
      const [type, ...names] = fieldsOf()
      const list = (/** @type {string} */ text) =>
        text
          .split(",")
          .map((id) => id.trim())
          .filter((id) => id !== "")
      const values = names.map((name) => [name, name === "members" ? list(textOf(form, name)) : textOf(form, name)])
      /** @type {Record<string, unknown>} */
      const change = { type, ...Object.fromEntries(values) }
      return happen(change)
    })
  )
  const search = gathered(150, () => {
    users.search = textOf(new FormData(get("search", HTMLFormElement)), "search")
    users.offset = 0
    return findUsers().catch(lost)
  })
  at("search").addEventListener("input", search)
  onSubmit("search", search)
}

// All together

let calls = 0
let isStreaming = false

/** @param {"live" | "lost" | "wait"} state @param {string} text */
const showConnection = (state, text) => {
  const place = at("connection")
  if (place.textContent !== text) place.textContent = text
  place.dataset["state"] = state
}

const lost = () => {
  isStreaming = false
  showConnection("lost", "Not connected: is the emulator running?")
}

/** @param {Status} answer */
const showStatus = ({ apps, calls, conversations, url, users }) => {
  at("summary").textContent = [
    ...(url === undefined || url === null ? [] : [url]),
    counted(users, "user"),
    counted(conversations, "conversation"),
    counted(calls, "call")
  ].join(" · ")
  at("apps").textContent = `${apps.length === 1 ? "App" : "Apps"} ${apps.join(", ")}. Secrets are not shown.`
}

const status = kept()

const refreshStatus = async () => {
  const known = Math.max(calls, rows.size)
  let isOld = false
  await status.ask(
    () => call("GET /status"),
    (answer) => {
      showStatus(answer)
      // Somebody made it forget, or start again; or there is no stream of calls yet.
      isOld = (answer.calls < known || !isStreaming) && answer.calls !== known
      calls = answer.calls
    }
  )
  if (isOld) await load()
}

/** What may have been changed elsewhere. */
const refresh = async () => {
  try {
    await Promise.all([
      refreshStatus(),
      faults.ask(() => call("GET /faults"), showFaults),
      clock.ask(() => call("GET /clock"), showClock),
      showQuota()
    ])
    await showWorld()
    showConnection("live", "Live")
  } catch (error) {
    // An answer that says no is an answer.
    if (error instanceof TypeError) lost()
  }
}

/** @param {ReadonlyArray<Entry>} entries */
const showCharted = (entries) => {
  chartedCalls.outdate()
  recent.clear()
  entries.forEach(record)
}

/** Once more from the journal, for what the stream did not tell. */
const load = async () => {
  const question = async () => {
    const { real } = await call("GET /clock")
    return call("GET /journal", { query: { since: real - seconds * 1000, latest: 20_000 } })
  }
  await askForEntries(chartedCalls, question, showCharted)
  if (!paused) await reload()
}

setUpJournal()
setUpFaults()
setUpClock()
setUpWorld()

const live = new EventSource("/journal/live")
live.addEventListener("open", () => {
  isStreaming = true
  load().catch(lost)
})
live.addEventListener("error", lost)
live.addEventListener("message", ({ data }) => {
  /** @type {Entry} */
  const entry = JSON.parse(String(data))
  record(entry)
  arrived.push(entry)
  for (const meanwhile of underWay) meanwhile.push(entry)
  flush()
})
// One after the other, however long an answer takes.
const poll = async () => {
  if (!document.hidden) await refresh()
  setTimeout(() => void poll(), 1000)
}
void poll()
