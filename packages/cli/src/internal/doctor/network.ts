/** The way to the service: its address, a connection, and who answers there. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { type Report, systemCode } from "../../ErrorReport.ts"
import { type Finding, type Look, ok, skipped, warning } from "./checklist.ts"

/** Where the service is. */
export const targetOf = (baseUrl: string) => {
  const { hostname, port, protocol } = new URL(baseUrl)
  const isSecure = protocol === "https:"
  return {
    // An IPv6 address is in brackets in a URL, and nowhere else.
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    isSecure
  }
}

type Target = ReturnType<typeof targetOf>

const failed = (problem: string, advice: string): Report => ({ problem, advice, exit: "Service" })

/** What was found, and how long it took. */
const timed = <E, R>(found: Effect.Effect<string, E, R>): Effect.Effect<Finding, E, R> =>
  Effect.map(Effect.timed(found), ([took, text]) => ok(`${text}, in ${Math.round(Duration.toMillis(took))} ms`))

const within = <A, R>(look: Look<A, R>, timeout: Duration.Duration, late: Report): Look<A, R> =>
  Effect.timeoutOrElse(look, { duration: timeout, orElse: () => Effect.fail(late) })

const unresolved: Record<Dns.DnsErrorReason, string> = {
  NotFound: "there is no such name",
  BadName: "it is not a host name",
  Timeout: "the name server does not answer",
  Temporary: "the name server does not answer",
  Refused: "the name server refuses to answer",
  ServerFailure: "the name server failed",
  InvalidResponse: "the name server's answer makes no sense",
  Unsupported: "this system cannot resolve names",
  Unknown: "the system does not say why"
}

export const resolve = ({ host }: Target, timeout: Duration.Duration): Look<undefined, Dns.Dns> => {
  if (Net.isIP(host) !== 0) return Effect.succeed(ok(`${host} is an address, so there is nothing to resolve`))
  const advice = "Check ZIM_BASE_URL for a typing error, and the DNS settings of this machine."
  const at = Dns.Dns.use((dns) => dns.lookup(host)).pipe(
    Effect.mapError(({ reason }) => failed(`${host} cannot be resolved: ${unresolved[reason]}`, advice)),
    Effect.map((addresses) => `${host} is ${addresses.map(NetAddress.formatIp).join(", ")}`),
    timed
  )
  return within(at, timeout, failed(`${host} is not resolved within ${Duration.format(timeout)}`, advice))
}

/** Opens a socket, waits for its event, looks at it, and closes it. */
const probe = <S extends Net.Socket, A>(
  open: () => S,
  event: "connect" | "secureConnect",
  read: (socket: S) => A
): Effect.Effect<A, string> =>
  Effect.acquireUseRelease(
    Effect.sync(open),
    (socket) =>
      Effect.callback<A, string>((resume) => {
        socket.once(event, () => resume(Effect.sync(() => read(socket))))
        socket.on("error", (error) => resume(Effect.fail(systemCode(error) ?? String(error))))
        socket.once("close", () => resume(Effect.fail("it was closed at once")))
      }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const format = (host: string, port: number): string => `${Net.isIPv6(host) ? `[${host}]` : host}:${port}`

export const connect = ({ host, port }: Target, timeout: Duration.Duration): Look => {
  const advice = "Check host and port, and the firewall: zim connects directly, whatever HTTPS_PROXY says."
  const at = probe(
    () => Net.connect({ host, port }),
    "connect",
    (socket) => `connected to ${format(socket.remoteAddress ?? host, socket.remotePort ?? port)}`
  ).pipe(
    Effect.mapError((code) => failed(`no connection to ${format(host, port)}: ${code}`, advice)),
    timed
  )
  const late = `no connection to ${format(host, port)} within ${Duration.format(timeout)}`
  return within(at, timeout, failed(late, advice))
}

const sessionOf = (socket: Tls.TLSSocket) => {
  const { issuer, valid_to } = socket.getPeerCertificate()
  return {
    protocol: socket.getProtocol() ?? "TLS",
    issuer: String(issuer.O ?? issuer.CN ?? "an unnamed authority"),
    expires: Date.parse(valid_to),
    // Why the certificate is not accepted, if it is not.
    refused: socket.authorized ? undefined : String(socket.authorizationError)
  }
}

type Session = ReturnType<typeof sessionOf>

/** What to do about a certificate that is not accepted, by the system's name of the reason. */
const certificateAdvice = (code: string): string => {
  switch (code) {
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return "Check this machine's date first; if it is right, whoever runs the host has to renew the certificate."
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "Check ZIM_BASE_URL: the certificate is for other names."
    default:
      return "Somebody between here and the service may read along; if that is your own proxy, name its certificate in NODE_EXTRA_CA_CERTS."
  }
}

const soon = Duration.toMillis("14 days")

const judge = ({ expires, issuer, protocol, refused }: Session, now: number): Look => {
  const day = Option.match(DateTime.make(expires), {
    onNone: () => "an unknown day",
    onSome: DateTime.formatIsoDateUtc
  })
  const certificate = `certificate of ${issuer}, valid until ${day}`
  if (refused !== undefined) {
    return Effect.fail(
      failed(`${protocol}, but the certificate is refused: ${refused} (${certificate})`, certificateAdvice(refused))
    )
  }
  return Effect.succeed(
    expires - now < soon
      ? warning(`${protocol}, ${certificate}`, "The certificate ends soon: whoever runs the host has to renew it.")
      : ok(`${protocol}, ${certificate}`)
  )
}

export const secure = (target: Target, timeout: Duration.Duration): Look => {
  const { host, isSecure, port } = target
  if (!isSecure) return Effect.succeed(skipped("not used: plain http to this machine itself"))
  const advice = "Check that the port of ZIM_BASE_URL is one for https, and whatever is between here and there."
  const at = probe(
    // Whatever the certificate: what is wrong with it is to be told, and nothing is sent.
    () => Tls.connect({ host, port, rejectUnauthorized: false, ...(Net.isIP(host) === 0 ? { servername: host } : {}) }),
    "secureConnect",
    sessionOf
  ).pipe(
    Effect.mapError((code) => failed(`no TLS with ${format(host, port)}: ${code}`, advice)),
    Effect.flatMap((session) => Effect.flatMap(Clock.currentTimeMillis, (now) => judge(session, now)))
  )
  return within(at, timeout, failed(`no TLS with ${format(host, port)} within ${Duration.format(timeout)}`, advice))
}
