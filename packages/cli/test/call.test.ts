import { assert, describe, it, layer } from "@effect/vitest"
import { Emulator } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect } from "effect"
import { once } from "node:events"
import { mkdtemp, writeFile } from "node:fs/promises"
import { createServer, type Server, type ServerResponse } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { app, invoke, invokeAt, matchGolden, portOf, service, settings, zim } from "./support.ts"

interface Seen {
  readonly method: string | undefined
  readonly url: URL
  readonly body: string
}

/** A service of the test's own, which keeps what it was asked. */
const serve = (answer: (response: ServerResponse, seen: Seen, index: number) => void) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const seen: Array<Seen> = []
      const server: Server = createServer((request, response) => {
        void text(request).then((body) => {
          const one = { method: request.method, url: new URL(request.url ?? "", "http://127.0.0.1"), body }
          return answer(response, one, seen.push(one) - 1)
        })
      }).listen(0, "127.0.0.1")
      await once(server, "listening")
      return { url: `http://127.0.0.1:${portOf(server)}`, seen, server }
    }),
    ({ server }) => Effect.sync(() => server.close().closeAllConnections())
  )

const reply = (json: string) => (response: ServerResponse) => {
  response.setHeader("content-type", "application/json").end(json)
}

const notUtf8 = join(await mkdtemp(join(tmpdir(), "zim-")), "body.json")
await writeFile(notUtf8, Uint8Array.of(0x7b, 0xff, 0x7d))

const numbers =
  '{"n":12345678901234567890123,"small":-1,"half":0.5,"list":[ 9007199254740993 ],"pi":12345678901234567.89,"one":1.0,"huge":1e400,"b":1,"10":2,"9":3,"b":4,"text":"\\u0041\\/"}'

describe("zim call", () => {
  it.live("in a pipe: the answer as it came; and the body as it is given", () =>
    Effect.gen(function* () {
      const answer = `{"Code":0,"Message":"success", "RequestId":"7",\n "Id":971503777289036701,"Echo":${numbers}}`
      const { seen, url } = yield* serve(reply(answer))
      const outcome = yield* invokeAt(url, ["call", "SomeAction", "--body", numbers])
      assert.deepStrictEqual(outcome, { code: 0, stdout: `${answer}\n`, stderr: "" })
      assert.strictEqual(seen[0]?.body, numbers)
      assert.strictEqual(seen[0]?.url.searchParams.get("Action"), "SomeAction")
    })
  )

  it.live("takes the body from the flag, a file, or standard input; without one it is empty", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve(reply('{"Code":0}'))
      const file = join(yield* Effect.promise(() => mkdtemp(join(tmpdir(), "zim-"))), "body.json")
      const body = { name: "käthe 😀", list: [1, null] }
      yield* Effect.promise(() => writeFile(file, `\uFEFF${JSON.stringify(body, undefined, 2)}\n`))
      const call = (...args: ReadonlyArray<string>) =>
        invoke(["call", "SomeAction", ...args], { env: settings(url), stdin: `\n${JSON.stringify(body)}\n` })
      const given: ReadonlyArray<readonly [given: string, sent: string]> = [
        [JSON.stringify(body), JSON.stringify(body)],
        [`@${file}`, `${JSON.stringify(body, undefined, 2)}\n`],
        ["-", `\n${JSON.stringify(body)}\n`]
      ]
      for (const [one, sent] of given) {
        const outcome = yield* call("--body", one)
        assert.strictEqual(outcome.code, 0, outcome.stderr)
        assert.strictEqual(seen.at(-1)?.body, sent, one)
      }
      yield* call()
      assert.strictEqual(seen.at(-1)?.body, "{}")
      assert.strictEqual(seen.length, 4)
    })
  )

  it.live("sends what is documented as a GET as one, and what --method says", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve(reply('{"Code":0}'))
      const body = '{"UserId":["ada","grace & co"],"Next":971503777289036701,"Twice":1}'
      const query = "UserId[]=ada&UserId[]=grace & co&Next=971503777289036701&Twice=1"
      const asked = ({ url }: Seen) => decodeURIComponent(url.search.replace(/^.*&Signature=[0-9a-f]+&?/, ""))
      const calls: ReadonlyArray<readonly [args: ReadonlyArray<string>, method: string]> = [
        [["QueryUserOnlineState"], "GET"],
        [["DismissGroup", "--read"], "GET"],
        [["SomeAction"], "POST"],
        [["SomeAction", "--method", "GET"], "GET"],
        [["QueryUserOnlineState", "--method", "POST"], "POST"]
      ]
      for (const [args, method] of calls) {
        const outcome = yield* invokeAt(url, ["call", ...args, "--body", body])
        assert.strictEqual(outcome.code, 0, outcome.stderr)
        const last = seen.at(-1) ?? assert.fail("nothing was sent")
        const sent = [last.method, last.url.pathname, asked(last), last.body]
        assert.deepStrictEqual(sent, method === "GET" ? ["GET", "/", query, ""] : ["POST", "/", "", body])
      }
      const refused = yield* invokeAt(url, ["call", "MuteGroup", "--body", '{"Roles":[{"canary":1}]}'])
      assert.deepStrictEqual([refused.code, refused.stdout, seen.length], [4, "", calls.length])
      assert.match(refused.stderr, /^error: nested, which a query cannot say: .+\["Roles"\]\[0\]\nhelp: .+\n$/)
    })
  )

  it.live("repeats a documented read without --read", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve((response, _, index) =>
        index % 2 === 0 ? response.destroy() : reply('{"Code":0}')(response)
      )
      const read = yield* Effect.promise(() => zim(["call", "QueryBlacklist"], settings(url)))
      assert.deepStrictEqual([read.code, read.stdout, seen.length], [0, '{"Code":0}\n', 2], read.stderr)
      const write = yield* Effect.promise(() => zim(["call", "MuteGroup"], settings(url)))
      assert.deepStrictEqual([write.code, seen.length], [7, 3])
    })
  )

  it.live("on a terminal: the envelope in a line, the rest for reading, nothing that the terminal would obey", () =>
    Effect.gen(function* () {
      const answer = JSON.stringify({
        Code: 0,
        Message: "success",
        RequestId: "343649807833778782",
        Empty: [{}, []],
        List: [
          { id: "käthe 😀", text: 'a "quoted" line\nand another', hostile: "\u001B[31m\u009B31m\u202Eright to left" }
        ],
        Flags: { yes: true, none: null }
      }).replace('"Empty"', '"Id":971503777289036701,"Empty"')
      const { url } = yield* serve(reply(answer))
      const shown = yield* invokeAt(url, ["call", "SomeAction"], 80)
      assert.strictEqual(shown.code, 0, shown.stderr)
      yield* matchGolden(shown.stdout, "call-terminal")
      const plain = yield* invoke(["call", "SomeAction"], { env: { ...settings(url), NO_COLOR: "1" }, columns: 80 })
      const piped = yield* invokeAt(url, ["call", "SomeAction", "--format", "text"])
      for (const { stdout } of [plain, piped]) {
        assert.notMatch(stdout.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u)
        assert.deepStrictEqual(JSON.parse(stdout.slice(stdout.indexOf("{"))).List, JSON.parse(answer).List)
      }
      const quiet = yield* invokeAt(url, ["call", "SomeAction", "--format", "text", "--quiet"])
      assert.strictEqual(quiet.stdout, piped.stdout.split("\n").slice(1).join("\n"))
      const json = yield* invokeAt(url, ["call", "SomeAction", "--format", "json"], 80)
      assert.deepStrictEqual(JSON.parse(json.stdout), JSON.parse(answer))
      assert.notMatch(json.stdout.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u)
      const exact = yield* invokeAt(url, ["call", "SomeAction", "--format", "json"])
      assert.strictEqual(exact.stdout, `${answer}\n`)
    })
  )

  it.live("on a terminal: what it says is what came, however it is written", () =>
    Effect.gen(function* () {
      const long = '\\"x'.repeat(1_000_000)
      const answer = `{"Code":0,"Code":0 ,${numbers.slice(1, -1)}, "long":"${long}","a":[1.0,{} ,[ ]],"c":"{\\",:"}`
      const { url } = yield* serve(reply(answer))
      for (const format of ["text", "json"]) {
        const { stdout } = yield* invoke(["call", "SomeAction", "--quiet", "--format", format], {
          env: { ...settings(url), NO_COLOR: "1" },
          columns: 80
        })
        const expected = format === "json" ? answer : answer.replace('"Code":0,"Code":0 ,', "")
        assert.strictEqual(stdout.replaceAll(/\s/g, ""), expected.replaceAll(/\s/g, ""))
      }
    })
  )

  it.live("repeats what is only read, and says of the rest that it may have been done", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve((response, _, index) =>
        index % 2 === 0 ? response.destroy() : reply('{"Code":0}')(response)
      )
      const run = (...args: ReadonlyArray<string>) =>
        Effect.promise(() => zim(["call", "SomeAction", ...args], settings(url)))
      const read = yield* run("--read")
      assert.deepStrictEqual([read.code, read.stdout, seen.length], [0, '{"Code":0}\n', 2], read.stderr)
      const write = yield* run()
      assert.deepStrictEqual([write.code, write.stdout, seen.length], [7, "", 3])
      assert.match(write.stderr, /^error: no answer: .+\nhelp: It may have been done all the same: .+--read\.\n$/)
    })
  )

  it.live("says so of an answer that is not the service's, too, but not of a redirect", () =>
    Effect.gen(function* () {
      const { url } = yield* serve((response, _, index) =>
        index === 0
          ? response.writeHead(504).end("<h1>504</h1>")
          : response.writeHead(302, { location: "/moved" }).end()
      )
      const gateway = yield* invokeAt(url, ["call", "SomeAction"])
      assert.match(gateway.stderr, /\nhelp: It may have been done all the same: .+\n$/)
      const redirect = yield* invokeAt(url, ["call", "SomeAction"])
      assert.notInclude(redirect.stderr, "It may have been done")
    })
  )

  it.live("shows no secret of an answer that repeats the request, whatever the log level", () =>
    Effect.gen(function* () {
      const echo: Parameters<typeof serve>[0] = (response, { url }, index) =>
        reply(JSON.stringify({ Code: index === 0 ? 424242 : "odd", Message: url.href, RequestId: url.search }))(
          response
        )
      const { seen, url } = yield* serve(echo)
      for (const code of [7, 7]) {
        const outcome = yield* invokeAt(url, ["call", "SomeAction", "--log-level", "all"])
        assert.strictEqual(outcome.code, code)
        const { searchParams } = seen.at(-1)?.url ?? assert.fail()
        for (const name of ["Signature", "SignatureNonce"]) {
          assert.notInclude(outcome.stdout + outcome.stderr, searchParams.get(name) ?? assert.fail(name))
        }
        assert.notInclude(outcome.stdout + outcome.stderr, app.serverSecret)
      }
    })
  )

  const tooDeep = `${'{"a":'.repeat(600)}1${"}".repeat(600)}`
  const endless = "[".repeat(100_000)

  it.live.each<readonly [args: ReadonlyArray<string>, code: number, stderr: RegExp]>([
    [["call"], 2, /^error: Missing required argument: ACTION\nhelp: Run: zim call --help\n$/],
    [["call", "Two Words"], 2, /^error: .+ACTION.+the name of an operation.+\nhelp: Run: zim call --help\n$/],
    [["call", "A", "--body", "{a:1}"], 2, /^error: --body is not valid JSON: .+line 1 column 2.+\nhelp: .+'\n$/],
    [
      ["call", "A", "--body", '{"a": oops}'],
      2,
      /^error: --body is not valid JSON: .+'o', "\{"a": oops\}".+\nhelp: .+\n$/
    ],
    [["call", "A", "--body", ""], 2, /^error: --body is not valid JSON: .+end of JSON input\nhelp: .+\n$/],
    [["call", "A", "--body", "[1]"], 2, /^error: --body cannot be sent: Expected a JSON object\nhelp: .+\n$/],
    [["call", "A", "--body", tooDeep], 2, /^error: --body cannot be sent: nested more than 500 deep.*\nhelp: .+\n$/],
    [["call", "A", "--body", endless], 2, /^error: --body is not valid JSON: .+\nhelp: .+\n$/],
    [
      ["call", "A", "--body", "@/nowhere.json"],
      1,
      /^error: cannot read the body file \/nowhere.json: there is no such file\nhelp: .+\n$/
    ],
    [["call", "A", "--body", `@${notUtf8}`], 1, /^error: the body file .+ is not UTF-8\nhelp: .+\n$/],
    [["call", "A"], 7, /^error: no answer: .*ECONNREFUSED.+\nhelp: Check the network, ZIM_REGION.+\n$/]
  ])("two lines and an exit code: %#", ([args, code, stderr]) =>
    Effect.gen(function* () {
      const outcome = yield* invoke(args, { env: settings("http://127.0.0.1:1") })
      assert.deepStrictEqual([outcome.code, outcome.stdout], [code, ""])
      assert.match(outcome.stderr, stderr)
    })
  )
})

layer(service, { excludeTestServices: true })("zim call, at the emulator", (it) => {
  const list = "QueryConversationList"

  it.effect("says what the typed command says", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const called = yield* invokeAt(url, ["call", list, "--read", "--body", '{"FromUserId":"ada","Limit":500}'])
      const listed = yield* invokeAt(url, ["conversations", "list", "ada", "--format", "json"])
      const answer: {
        readonly List: ReadonlyArray<{ ConvId: string; UpdateTime: number }>
        readonly TotalCount: number
      } = JSON.parse(called.stdout)
      assert.deepStrictEqual(
        answer.List.map(({ ConvId, UpdateTime }) => [ConvId, new Date(UpdateTime).toISOString()]),
        JSON.parse(listed.stdout).map((record: Record<string, string>) => [
          record["conversationId"],
          record["updatedAt"]
        ])
      )
      assert.isAbove(answer.List.length, 0)
      assert.strictEqual(answer.TotalCount, answer.List.length)
    })
  )

  it.effect("as a process, through a pipe", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const emulator = yield* Emulator.Emulator
      yield* emulator.journal.clear
      const outcome = yield* Effect.promise(() =>
        zim(["call", list, "--body", '{"FromUserId":"ada","Limit":1}'], settings(url))
      )
      assert.strictEqual(outcome.code, 0, outcome.stderr)
      const entries = yield* emulator.journal.entries
      assert.deepStrictEqual(
        entries.map(({ limit, userId }) => [userId, limit]),
        [["ada", 1]]
      )
      assert.strictEqual(outcome.stderr, "")
    })
  )

  it.effect.each([
    ["NoSuchAction", "{}", 4, "100000007 Action not supported", "letter case included"],
    [list, "{}", 4, "660000002 Input parameter wrong", "the documentation of the action"],
    [list, '{"FromUserId":"stranger"}', 4, "660500002 User not registered", "Register the user"],
    [list, '{"FromUserId":"rate-limited"}', 6, "660300005 Calls exceed", "Slow down"],
    [list, '{"FromUserId":"not-permitted"}', 5, "100000017 Service not enabled", "Enable the ZIM"],
    [list, '{"FromUserId":"unknown-code"}', 7, "424242 Unknown return code: never heard of", "not documented"],
    [list, '{"FromUserId":"html"}', 7, "HTTP status 502", "Something between here"]
  ] as const)("%s %s: exit code %i", ([action, body, code, problem, advice]) =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const outcome = yield* invokeAt(url, ["call", action, "--body", body])
      assert.deepStrictEqual([outcome.code, outcome.stdout], [code, ""])
      const [first = "", second = ""] = outcome.stderr.split("\n")
      assert.include(first, problem)
      assert.include(second, advice)
      assert.match(outcome.stderr, /^error: [^\n]+\nhelp: [^\n]+\n$/)
    })
  )
})
