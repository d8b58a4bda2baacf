import { assert, describe, it } from "@effect/vitest"
import { ErrorReport } from "@effect-zim/cli"
import { Cause, Effect } from "effect"
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import { app, invoke, type Outcome, portOf, settings, zim } from "./support.ts"

/** A hostile service: every answer echoes the signed URL, in a shape of the test's choosing. */
const echoing = async (answer: (url: string) => { status: number; type: string; body: string }) => {
  const urls: Array<string> = []
  const server: Server = createServer((request, response) => {
    const url = request.url ?? ""
    urls.push(url)
    const { body, status, type } = answer(url)
    response.writeHead(status, { "content-type": type }).end(body)
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  return { url: `http://127.0.0.1:${portOf(server)}`, urls, close: () => server.close() }
}

const echoes = {
  "in the message of an error": (url: string) => ({
    status: 200,
    type: "application/json",
    body: JSON.stringify({ Code: 660800053, Message: `cannot serve ${url}`, RequestId: "1" })
  }),
  "in an error that is not documented": (url: string) => ({
    status: 200,
    type: "application/json",
    body: JSON.stringify({ Code: 77, Message: url, RequestId: "1" })
  }),
  "in a page of a proxy": (url: string) => ({
    status: 502,
    type: "text/html",
    body: `<html><a href="${url}">try again</a></html>`
  }),
  "in an answer of the wrong shape": (url: string) => ({
    status: 200,
    type: "application/json",
    body: JSON.stringify({ Code: 0, Message: "success", RequestId: "1", List: url, Next: 0 })
  })
}

const assertSilent = (outcome: Outcome, urls: ReadonlyArray<string>): void => {
  assert.isAbove(urls.length, 0)
  assert.notStrictEqual(outcome.code, 0)
  for (const url of urls) {
    const query = new URL(url, "http://127.0.0.1").searchParams
    for (const name of ["Signature", "SignatureNonce"]) {
      const value = query.get(name) ?? ""
      assert.isAbove(value.length, 8)
      assert.notInclude(outcome.stdout + outcome.stderr, value)
    }
    assert.notInclude(outcome.stdout + outcome.stderr, url)
  }
  assert.notInclude(outcome.stdout + outcome.stderr, app.serverSecret)
}

describe("what is secret is never printed, whatever the log level", () => {
  for (const [name, answer] of Object.entries(echoes)) {
    it.live(`when the service echoes the signed URL ${name}`, () =>
      Effect.gen(function* () {
        const service = yield* Effect.promise(() => echoing(answer))
        const outcome = yield* invoke(["conversations", "list", "ada", "--log-level", "all"], {
          env: settings(service.url)
        })
        service.close()
        assertSilent(outcome, service.urls)
      })
    )
  }

  it("by the program itself, with retries", async () => {
    const service = await echoing(echoes["in the message of an error"])
    const outcome = await zim(["conversations", "list", "ada", "--log-level", "all"], settings(service.url))
    service.close()
    assertSilent(outcome, service.urls)
    assert.isAbove(service.urls.length, 1, "it was retried")
    assert.strictEqual(outcome.code, 7)
  })

  it("not even by a bug, which shows no stack and no query", () => {
    const url = "http://127.0.0.1/?Action=A&Signature=43e5cfcca828314675f91b001390566a"
    const report = ErrorReport.reportCause(Cause.die(new TypeError(`cannot parse "${url}" here`)))
    assert.strictEqual(
      ErrorReport.lines(report),
      'error: unexpected: TypeError: cannot parse "http://127.0.0.1/?…" here\n' +
        "help: This is a bug in zim: please report it with the command you ran."
    )
    assert.strictEqual(report.exit, "Failure")
  })

  it.live("nor a secret among the settings that are refused", () =>
    Effect.gen(function* () {
      const env = { ...settings("http://127.0.0.1:1"), ZIM_SERVER_SECRET: ` ${app.serverSecret} ` }
      const outcome = yield* invoke(["conversations", "list", "ada", "--log-level", "all"], { env })
      assert.strictEqual(outcome.code, 3)
      assert.notInclude(outcome.stdout + outcome.stderr, app.serverSecret)
    })
  )
})
