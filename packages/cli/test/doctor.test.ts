import { assert, layer } from "@effect/vitest"
import { ExitCode } from "@effect-zim/cli"
import { Emulator, Fault, ServiceQuota, ServiceClock } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Duration, Effect, Schema } from "effect"
import { CliOutput } from "effect/cli"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { once } from "node:events"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Tls from "node:tls"
import * as Certificate from "./certificate.ts"
import { app, invoke, invokeAt, type Outcome, portOf, service, settings, zim } from "./support.ts"

const names = [
  "appId",
  "secret",
  "endpoint",
  "policies",
  "name",
  "connection",
  "tls",
  "answer",
  "clock",
  "signature",
  "service",
  "quota"
] as const

type Name = (typeof names)[number]

const Check = Schema.Struct({
  check: Schema.Literals(names),
  state: Schema.Literals(["ok", "warning", "failed", "skipped"]),
  found: Schema.String,
  advice: Schema.String,
  milliseconds: Schema.Int
})

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Check)))

const url = Effect.map(EmulatorServer.EmulatorServer, (server) => server.url)

/** Nothing secret, and a line of advice for everything that is wrong, and for nothing else. */
const checksOf = (outcome: Outcome): ReadonlyArray<typeof Check.Type> => {
  assert.notInclude(outcome.stdout + outcome.stderr, app.serverSecret)
  assert.notMatch(outcome.stdout + outcome.stderr, /Signature=|SignatureNonce=| at .*:\d+:\d+/)
  const checks = decode(outcome.stdout)
  assert.deepStrictEqual(
    checks.map(({ check }) => check),
    [...names]
  )
  for (const { advice, check, found, state } of checks) {
    assert.notInclude(advice, "\n")
    assert.strictEqual(advice !== "", state === "failed" || state === "warning", check)
    if (state === "skipped" && check !== "tls") assert.match(found, /^not (?:checked: \w.* comes first|known: )/)
  }
  return checks
}

const doctor = (...args: ReadonlyArray<string>) => ["doctor", "--format", "json", ...args]

interface Expected {
  readonly exit: ExitCode.Name
  /** What failed, and what is said of it. */
  readonly failed: Partial<Record<Name, readonly [found: string | RegExp, advice: string]>>
  readonly skipped?: ReadonlyArray<Name>
  readonly warnings?: ReadonlyArray<Name>
}

/** Which checks are in which state, and what the first failure ends the program with. */
const assertFound = (outcome: Outcome, expected: Expected): ReadonlyArray<typeof Check.Type> => {
  const checks = checksOf(outcome)
  const those = (state: string) => checks.filter((check) => check.state === state).map(({ check }) => check)
  assert.deepStrictEqual<ReadonlyArray<string>>(those("failed"), Object.keys(expected.failed), outcome.stdout)
  assert.deepStrictEqual<ReadonlyArray<string>>(those("skipped"), expected.skipped ?? ["tls"], outcome.stdout)
  assert.deepStrictEqual<ReadonlyArray<string>>(those("warning"), expected.warnings ?? [], outcome.stdout)
  for (const check of checks) {
    const [found, advice] = expected.failed[check.check] ?? ["", ""]
    if (typeof found === "string") assert.include(check.found, found)
    else assert.match(check.found, found)
    assert.include(check.advice, check.state === "failed" ? advice : "")
  }
  assert.strictEqual(outcome.code, ExitCode.table[expected.exit].code, outcome.stderr)
  if (expected.exit === "Ok") assert.strictEqual(outcome.stderr, "")
  else assert.match(outcome.stderr, /^error: [A-Z][^\n]+\nhelp: [^\n]+\n$/)
  return checks
}

const after = (name: Name): ReadonlyArray<Name> => names.slice(names.indexOf(name) + 1)

/** Changes the service while an effect runs. */
const during = <A, E, R>(
  change: (emulator: Emulator.Emulator["Service"]) => Effect.Effect<void>,
  effect: Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const before = yield* emulator.snapshot
    yield* emulator.journal.clear
    yield* change(emulator)
    return yield* Effect.ensuring(effect, emulator.restore(before))
  })

const calls = Emulator.Emulator.use((emulator) => emulator.journal.entries)

/** A server that does with a connection what the test says, and where it listens. */
const listening = (server: Net.Server) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      await once(server.listen(0, "127.0.0.1"), "listening")
      return portOf(server)
    }),
    () => Effect.sync(() => server.close())
  )

const days = (count: number): Date => new Date(Date.now() + count * 86_400_000)

/** The emulator behind TLS. */
const secured = (certificate: Certificate.Certificate) =>
  Effect.gen(function* () {
    const port = Number(new URL(yield* url).port)
    const server = Tls.createServer(certificate, (socket) => {
      const inner = Net.connect(port, "127.0.0.1")
      for (const end of [socket, inner]) end.on("error", () => [socket, inner].forEach((other) => other.destroy()))
      socket.pipe(inner).pipe(socket)
    })
    return `https://127.0.0.1:${yield* listening(server)}`
  })

layer(service, { excludeTestServices: true })("zim doctor", (it) => {
  it.effect("everything in order: one call, for somebody who is not there", () =>
    Effect.gen(function* () {
      const outcome = yield* during(
        () => Effect.void,
        Effect.tap(
          Effect.flatMap(url, (url) => invokeAt(url, doctor())),
          () =>
            Effect.map(calls, (entries) =>
              assert.deepStrictEqual(
                entries.map(({ userId }) => userId),
                ["zim-doctor"]
              )
            )
        )
      )
      const checks = assertFound(outcome, { exit: "Ok", failed: {} })
      assert.include(checks[0]?.found, "12345, from ZIM_APP_ID")
      assert.include(checks[1]?.found, "from ZIM_SERVER_SECRET")
      assert.include(checks[2]?.found, `${yield* url}, from ZIM_BASE_URL`)
      assert.match(checks[5]?.found ?? "", /^connected to 127\.0\.0\.1:\d+, in \d+ ms$/)
      assert.include(checks[6]?.found, "plain http to this machine itself")
      assert.include(checks[10]?.found, "user zim-doctor is not registered, which was expected")
    })
  )

  it.effect("--user: one who is there, and one who is not", () =>
    Effect.gen(function* () {
      const there = assertFound(yield* invokeAt(yield* url, doctor("--user", "ada")), { exit: "Ok", failed: {} })
      assert.strictEqual(there[10]?.found, "ZIM is enabled, QueryConversationList answers")
      const stranger = yield* invokeAt(yield* url, doctor("--user", "stranger"))
      const checks = assertFound(stranger, { exit: "Ok", failed: {}, warnings: ["service"] })
      assert.include(checks[10]?.found, "user stranger is not registered")
      assert.include(checks[10]?.advice, "Register the user")
    })
  )

  it.effect("settings: each that is missing or malformed, and the rest is looked at all the same", () =>
    Effect.gen(function* () {
      const { ZIM_BASE_URL = "" } = settings(yield* url)
      const later = ["tls", ...after("tls")] as const
      assertFound(yield* invoke(doctor(), { env: { ZIM_BASE_URL } }), {
        exit: "Settings",
        failed: {
          appId: ["ZIM_APP_ID: not set", "Set ZIM_APP_ID in the environment"],
          secret: ["ZIM_SERVER_SECRET: not set", "Set ZIM_SERVER_SECRET in the environment"]
        },
        skipped: later
      })
      const env = {
        ZIM_APP_ID: "4294967296",
        ZIM_SERVER_SECRET: ` ${app.serverSecret}`,
        ZIM_BASE_URL: "http://a.example"
      }
      assertFound(yield* invoke(doctor(), { env }), {
        exit: "Settings",
        failed: {
          appId: ["ZIM_APP_ID: an AppId is a whole number", "Correct ZIM_APP_ID"],
          secret: ["begins or ends with whitespace", "Correct ZIM_SERVER_SECRET"],
          endpoint: ["ZIM_BASE_URL: plain http is for loopback hosts only", "Correct ZIM_BASE_URL"]
        },
        skipped: after("policies")
      })
      const both = yield* invoke(doctor(), { env: { ...settings(yield* url), ZIM_REGION: "fra" } })
      const checks = assertFound(both, { exit: "Ok", failed: {}, warnings: ["endpoint"] })
      assert.include(checks[2]?.found, "ZIM_REGION is not used")
    })
  )

  it.effect("settings of policies: which there are, and each that is malformed", () =>
    Effect.gen(function* () {
      const at = yield* url
      const env = { ...settings(at), ZIM_QUOTA_LIMIT: "10", ZIM_TIMEOUT: "3 seconds" }
      const set = assertFound(yield* invoke(doctor(), { env }), { exit: "Ok", failed: {} })
      assert.strictEqual(set[3]?.found, "from ZIM_QUOTA_LIMIT, ZIM_TIMEOUT")
      const unset = assertFound(yield* invokeAt(at, doctor()), { exit: "Ok", failed: {} })
      assert.strictEqual(unset[3]?.found, "the defaults")

      const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8")
      const names = Array.from(readme.matchAll(/^\| `(ZIM_[A-Z_]+)`/gm), ([, name = ""]) => name).slice(4)
      assert.include(names, "ZIM_DEADLINE")
      for (const name of names) {
        assertFound(yield* invoke(doctor(), { env: { ...settings(at), [name]: "canary" } }), {
          exit: "Settings",
          failed: { policies: [`${name}: `, `Correct ${name}`] },
          skipped: ["tls", ...after("tls")]
        })
      }
    })
  )

  it.effect("a name that nobody has", () =>
    Effect.gen(function* () {
      const env = settings("https://nowhere.invalid")
      assertFound(yield* invoke(doctor(), { env }), {
        exit: "Service",
        failed: { name: ["nowhere.invalid", "Check ZIM_BASE_URL"] },
        skipped: after("name")
      })
      assertFound(yield* invoke(doctor(), { env: settings("https://a..b") }), {
        exit: "Service",
        failed: { name: ["a..b cannot be resolved: it is not a host name", "Check ZIM_BASE_URL"] },
        skipped: after("name")
      })
    })
  )

  it.effect("a port where nobody listens", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(listening(Net.createServer()))
      assertFound(yield* invokeAt(`http://127.0.0.1:${port}`, doctor()), {
        exit: "Service",
        failed: { connection: [`no connection to 127.0.0.1:${port}: ECONNREFUSED`, "firewall"] },
        skipped: after("connection")
      })
    })
  )

  it.effect("https where there is no TLS, or no answer: in time, and nothing signed is sent", () =>
    Effect.gen(function* () {
      let received = ""
      const plain = Net.createServer((socket) => {
        socket.on("data", (data) => {
          received += data.toString("latin1")
          socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")
        })
      })
      const port = yield* listening(plain)
      assertFound(yield* invokeAt(`https://127.0.0.1:${port}`, doctor()), {
        exit: "Service",
        failed: { tls: [`no TLS with 127.0.0.1:${port}: ERR_SSL_`, "is one for https"] },
        skipped: after("tls")
      })
      assert.notInclude(received, "Action")
      const open: Array<Net.Socket> = []
      const silent = yield* listening(Net.createServer((socket) => open.push(socket.on("error", () => undefined))))
      const outcome = yield* invokeAt(`https://127.0.0.1:${silent}`, doctor("--timeout", "1 second"))
      assertFound(outcome, {
        exit: "Service",
        failed: { tls: ["within 1s", "is one for https"] },
        skipped: after("tls")
      })
      for (const socket of open) socket.destroy()
    }).pipe(Effect.scoped)
  )

  it.effect("a certificate that nobody vouches for, of another host, out of date, or soon", () =>
    Effect.gen(function* () {
      const refused = Effect.fnUntraced(function* (
        certificate: Certificate.Certificate,
        found: RegExp,
        advice: string
      ) {
        const at = yield* secured(certificate)
        const outcome = yield* during(
          () => Effect.void,
          Effect.tap(invokeAt(at, doctor()), () => Effect.map(calls, (entries) => assert.lengthOf(entries, 0)))
        )
        assertFound(outcome, { exit: "Service", failed: { tls: [found, advice] }, skipped: after("tls") })
      })
      const host = "127.0.0.1"
      const good = Certificate.make({ issuer: "Nobody", host, from: days(-1), until: days(90) })
      yield* refused(
        good,
        /refused: DEPTH_ZERO_SELF_SIGNED_CERT \(certificate of Nobody, valid until/,
        "NODE_EXTRA_CA_CERTS"
      )

      const other = Certificate.make({ issuer: "Others", host: "other.example", from: days(-1), until: days(90) })
      const old = Certificate.make({ issuer: "Old", host, from: days(-90), until: days(-1) })
      const ending = Certificate.make({ issuer: "Ending", host, from: days(-90), until: days(5) })
      const before = Tls.getCACertificates("default")
      yield* Effect.acquireRelease(
        Effect.sync(() => Tls.setDefaultCACertificates([good, other, old, ending].map(({ cert }) => cert))),
        () => Effect.sync(() => Tls.setDefaultCACertificates(before))
      )
      yield* refused(other, /ERR_TLS_CERT_ALTNAME_INVALID/, "for other names")
      yield* refused(old, /CERT_HAS_EXPIRED/, "this machine's date")
      const checks = assertFound(yield* invokeAt(yield* secured(ending), doctor()), {
        exit: "Ok",
        failed: {},
        skipped: [],
        warnings: ["tls"]
      })
      assert.include(checks[6]?.found, `valid until ${days(5).toISOString().slice(0, 10)}`)
    }).pipe(Effect.scoped)
  )

  it.effect("TLS in order, as a process with NODE_EXTRA_CA_CERTS", () =>
    Effect.gen(function* () {
      const certificate = Certificate.make({ issuer: "Our proxy", host: "127.0.0.1", from: days(-1), until: days(90) })
      const folder = mkdtempSync(join(tmpdir(), "zim-doctor-"))
      const file = join(folder, "ca.pem")
      writeFileSync(file, certificate.cert)
      const env = { ...settings(yield* secured(certificate)), NODE_EXTRA_CA_CERTS: file }
      const outcome = yield* Effect.promise(() => zim(doctor(), env))
      rmSync(folder, { recursive: true })
      const checks = assertFound({ ...outcome, stderr: "" }, { exit: "Ok", failed: {}, skipped: [] })
      assert.match(checks[6]?.found ?? "", /^TLSv1\.3, certificate of Our proxy, valid until /)
    }).pipe(Effect.scoped)
  )

  /** What is said of a difference, in seconds: behind is positive. */
  const secondsOf = (found: string): number => {
    const { ahead, minutes, seconds } =
      /^(?:(?<minutes>\d+)m ?)?(?:(?<seconds>\d+)s)? (?:behind|(?<ahead>ahead of)) /.exec(found)?.groups ?? {}
    return (Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * (ahead === undefined ? 1 : -1)
  }

  const clocks = [
    ["15 minutes", "failed"],
    ["-15 minutes", "failed"],
    ["3 minutes", "warning"],
    ["30 seconds", "ok"]
  ] as const
  for (const [offset, state] of clocks) {
    it.effect(`a clock that is ${offset} off: ${state}, and the signature is accepted`, () =>
      Effect.gen(function* () {
        const at = yield* url
        const [outcome, made] = yield* during(
          (emulator) => emulator.clock.set(ServiceClock.skewed(offset)),
          Effect.all([invokeAt(at, doctor()), calls])
        )
        const isFailed = state === "failed"
        const checks = assertFound(outcome, {
          exit: isFailed ? "Authentication" : "Ok",
          failed: isFailed ? { clock: ["the service's, which accepts 10 minutes", "Set this machine's clock"] } : {},
          warnings: state === "warning" ? ["clock"] : []
        })
        const seconds = Duration.toSeconds(offset)
        // `Date` has whole seconds, and the answer takes its time.
        assert.approximately(secondsOf(checks[8]?.found ?? ""), seconds, 2)
        assert.strictEqual(checks[9]?.found.includes("signed with the service's time"), isFailed)
        // One more where the first signature came too late or too early.
        assert.lengthOf(made, isFailed ? 2 : 1)
      })
    )
  }

  it.effect("a wrong date of an answer is not the fault of this machine's clock", () =>
    Effect.gen(function* () {
      const at = yield* url
      const anHourOff = Fault.rewrite("wrong date", (reply) => ({
        ...reply,
        headers: { ...reply.headers, date: new Date(Date.now() + 3_600_000).toUTCString() }
      }))
      const outcome = yield* during((emulator) => emulator.faults.set([anHourOff]), invokeAt(at, doctor()))
      const checks = assertFound(outcome, { exit: "Ok", failed: {}, warnings: ["clock"] })
      assert.match(checks[8]?.found ?? "", /dated (1h|59m.*|60m.*) ahead of this machine's clock/)
      assert.include(checks[8]?.advice, "Look for a proxy")
      assert.notInclude(checks[9]?.found, "signed with the service's time")
    })
  )

  it.effect("another command warns of the clock, unless it is quiet", () =>
    Effect.gen(function* () {
      const at = yield* url
      const list = ["conversations", "list", "ada"]
      yield* during(
        (emulator) => emulator.clock.set(ServiceClock.skewed("3 minutes")),
        Effect.gen(function* () {
          assert.include((yield* invokeAt(at, list)).stderr, "this machine's clock")
          assert.strictEqual((yield* invokeAt(at, [...list, "-q"])).stderr, "")
          // A process of its own: the clients of one share what they know of the time, and say it once.
          const again = yield* Effect.promise(() => zim([...list, "-q", "--log-level", "debug"], settings(at)))
          assert.include(again.stderr, "this machine's clock")
        })
      )
    })
  )

  const refusals: ReadonlyArray<
    readonly [
      userId: string,
      exit: ExitCode.Name,
      failed: Name,
      found: string,
      advice: string,
      skipped: ReadonlyArray<Name>
    ]
  > = [
    ["html", "Service", "answer", "HTTP status 502", "proxies", after("answer")],
    ["cut-off", "Service", "answer", "no answer", "Check the network", after("answer")],
    ["late", "Authentication", "signature", "100000004 Signature expired", "clock", ["service", "quota"]],
    [
      "not-permitted",
      "Authentication",
      "service",
      "100000017 Service not enabled",
      "Enable the ZIM",
      ["signature", "quota"]
    ],
    ["unknown-code", "Service", "service", "424242 Unknown return code", "not documented", ["signature", "quota"]],
    ["rate-limited", "RateLimit", "quota", "660300005 Calls exceed", "Slow down", ["service"]],
    ["throttled", "RateLimit", "quota", "7 Requests per second", "Slow down", ["signature", "service"]]
  ]
  for (const [userId, exit, failed, found, advice, skipped] of refusals) {
    it.effect(`${userId}: ${failed}`, () =>
      Effect.gen(function* () {
        const outcome = yield* invokeAt(yield* url, doctor("--user", userId))
        assertFound(outcome, { exit, failed: { [failed]: [found, advice] }, skipped: ["tls", ...skipped] })
      })
    )
  }

  it.effect("as a process, too, it repeats nothing", () =>
    Effect.gen(function* () {
      const env = settings(yield* url)
      const [outcome, made] = yield* during(
        () => Effect.void,
        Effect.all([Effect.promise(() => zim(doctor("--user", "rate-limited"), env)), calls])
      )
      assertFound(outcome, {
        exit: "RateLimit",
        failed: { quota: ["660300005 Calls exceed", "Slow down"] },
        skipped: ["tls", "service"]
      })
      assert.lengthOf(made, 1)
    })
  )

  const disturbances: ReadonlyArray<
    readonly [
      fault: Fault.Fault,
      exit: ExitCode.Name,
      failed: Name,
      found: string | RegExp,
      skipped: ReadonlyArray<Name>
    ]
  > = [
    [Fault.redirect("https://elsewhere.example/"), "Service", "answer", "a redirect", after("answer")],
    [Fault.notJson, "Service", "answer", "not JSON", after("answer")],
    [Fault.hang, "Service", "answer", "no complete answer within 1s", after("answer")],
    [Fault.hangingBody, "Service", "answer", "no complete answer within 1s", after("answer")],
    [Fault.connectionReset, "Service", "answer", "no answer", after("answer")],
    [Fault.returnCode(660800053), "Service", "service", "660800053 Querying", ["quota"]],
    [Fault.returnCode(660000028), "Authentication", "service", "660000028 Not available on the free plan", ["quota"]],
    [Fault.returnCode(100000000), "Request", "service", "100000000 Wrong Host", ["signature", "quota"]]
  ]
  for (const [fault, exit, failed, found, skipped] of disturbances) {
    it.effect(`${Fault.describe(fault)}: ${failed}, after one call`, () =>
      Effect.gen(function* () {
        const at = yield* url
        const [outcome, made] = yield* during(
          (emulator) => emulator.faults.set([fault]),
          Effect.all([invokeAt(at, doctor("--timeout", "1 second")), calls])
        )
        assertFound(outcome, { exit, failed: { [failed]: [found, ""] }, skipped: ["tls", ...skipped] })
        assert.lengthOf(made, 1)
      })
    )
  }

  it.effect("a secret of another app, never shown on any level", () =>
    Effect.gen(function* () {
      const env = { ...settings(yield* url), ZIM_SERVER_SECRET: "another-canary" }
      const outcome = yield* invoke(doctor("--log-level", "all"), { env })
      assert.notInclude(outcome.stdout + outcome.stderr, "another-canary")
      assertFound(
        { ...outcome, stderr: outcome.stderr.replaceAll(/^\[.*\n/gm, "") },
        {
          exit: "Authentication",
          failed: { signature: ["100000005 Signature wrong", "Check ZIM_SERVER_SECRET"] },
          skipped: ["tls", "service", "quota"]
        }
      )
    })
  )

  it.effect("--probe: within the quota, and none rejected, right after another look", () =>
    Effect.gen(function* () {
      const at = yield* url
      const [outcome, made] = yield* during(
        (emulator) => emulator.quota.set(ServiceQuota.sliding()),
        Effect.all([Effect.andThen(invokeAt(at, doctor()), invokeAt(at, doctor("--probe", "25"))), calls])
      )
      const checks = assertFound(outcome, { exit: "Ok", failed: {} })
      assert.match(checks[11]?.found ?? "", /^25 more calls in \d\.\d s.*, none rejected$/)
      assert.lengthOf(made, 27)
    })
  )

  it.effect("--probe: where others use the quota, too, it ends at the first rejection", () =>
    Effect.gen(function* () {
      const at = yield* url
      const [outcome, made] = yield* during(
        (emulator) => emulator.quota.set(ServiceQuota.sliding({ limit: 5, window: "1 minute" })),
        Effect.all([invokeAt(at, doctor("--probe", "100")), calls])
      )
      const found = /^4 more calls in \d\.\d s, then 660300005 Calls exceed/
      assertFound(outcome, { exit: "RateLimit", failed: { quota: [found, "Slow down"] } })
      assert.isAtMost(made.length, 13)
    })
  )

  it.effect("the table says the same as the data, in ticks on a terminal, in words elsewhere", () =>
    Effect.gen(function* () {
      const at = yield* url
      const args = ["doctor", "--user", "not-permitted"]
      // What differs from run to run.
      const stable = (text: string) => text.replaceAll(/\b\d+ ?ms\b/g, "1 ms").replaceAll(/ \(request id[^)]*\)/g, "")
      const terminal = yield* invokeAt(at, args, 80)
      const plain = yield* invoke(args, { env: { ...settings(at), NO_COLOR: "1" }, columns: 80 })
      const piped = yield* invokeAt(at, args)
      const ascii = yield* invoke(args, { env: { ...settings(at), LANG: "C" }, columns: 80 })
      for (const { stderr, stdout } of [terminal, plain, piped, ascii]) {
        for (const line of stdout.split("\n")) assert.isAtMost(CliOutput.displayWidth(line), 80, line)
        assert.match(stderr, /^error: Service: 100000017 [^]*\nhelp: Enable the ZIM [^]*\n$/)
      }
      const lines = terminal.stdout.split("\n")
      assert.isTrue(lines.some((line) => line.startsWith("\u001B[32m✓\u001B[0m")))
      assert.isTrue(lines.some((line) => line.startsWith("\u001B[31m✗\u001B[0m")))
      for (const { stdout } of [plain, piped]) assert.notMatch(stdout, /(?!\n)\p{Cc}|[✓✗]/u)
      assert.notMatch(ascii.stdout, /[✓✗]/)
      const words = stable(piped.stdout.replaceAll("\n                     ", " "))
      for (const { advice, found } of checksOf(yield* invokeAt(at, doctor("--user", "not-permitted")))) {
        assert.include(words, stable(found))
        assert.include(words, advice)
      }
    })
  )

  it.effect("--quiet: only what is wrong", () =>
    Effect.gen(function* () {
      const fine = yield* invokeAt(yield* url, ["doctor", "-q"])
      assert.deepStrictEqual(fine, { code: 0, stdout: "", stderr: "" })
      const wrong = yield* invokeAt(yield* url, ["doctor", "-q", "--user", "not-permitted"])
      assert.match(wrong.stdout, /^FAILED +Service +100000017 [^]*\n +> [^]*\n$/)
      assert.notInclude(wrong.stdout, "Connection")
    })
  )

  it.effect("--format ndjson and csv have the same", () =>
    Effect.gen(function* () {
      const at = yield* url
      const ndjson = yield* invokeAt(at, ["doctor", "--format", "ndjson"])
      assert.lengthOf(checksOf({ ...ndjson, stdout: `[${ndjson.stdout.trim().replaceAll("\n", ",")}]` }), names.length)
      const csv = yield* invokeAt(at, ["doctor", "--format", "csv"])
      assert.isTrue(csv.stdout.startsWith("check,state,found,advice,milliseconds\r\nappId,ok,"))
    })
  )

  it.effect("a command line that makes no sense", () =>
    Effect.gen(function* () {
      for (const args of [
        ["--user", "bäd"],
        ["--probe", "201"],
        ["--timeout", "0 seconds"],
        ["--calls-per-second", "0"]
      ]) {
        const outcome = yield* invokeAt(yield* url, ["doctor", ...args])
        assert.strictEqual(outcome.code, 2)
        assert.match(outcome.stderr, /^error: Invalid value for flag --.*\nhelp: Run: zim doctor --help\n$/)
      }
    })
  )
})
