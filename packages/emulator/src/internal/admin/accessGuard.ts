import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Net from "node:net"
import { isJson } from "../requests/readRequest.ts"

/** Who else than this machine may ask. */
export interface Remote {
  /** By which names or addresses they may call this machine: what their `Host` header may say. */
  readonly hosts: ReadonlyArray<string>
  /** Their addresses, or subnets such as `10.0.0.0/8`. */
  readonly peers: ReadonlyArray<string>
}

const familyOf = (address: string) => (Net.isIPv6(address) ? "ipv6" : "ipv4")

const addressList = (peers: ReadonlyArray<string>): Net.BlockList => {
  const list = new Net.BlockList()
  for (const peer of peers) {
    const [address = "", bits] = peer.split("/")
    const family = familyOf(address)
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}

const loopback = addressList(["127.0.0.0/8", "::1"])

/** Whether an address is in a list; an IPv4 address may come as IPv6 (`::ffff:127.0.0.1`). */
const contains = (list: Net.BlockList, address: string): boolean => list.check(address, familyOf(address))

/** Whether this machine alone can reach an address or a name. */
export const isLoopback = (host: string): boolean => host === "localhost" || contains(loopback, host)

/** An answer in the shape of the API's own errors. */
export const refusal = (status: number, _tag: string, problem: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe({ _tag, problem }, { status })

const forbidden = (problem: string): HttpServerResponse.HttpServerResponse => refusal(403, "Forbidden", problem)

/** The name or address of a `Host` header or an origin, without the port. */
const hostName = (authority: string): string | undefined => {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?$/i.exec(authority)
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

const reads = new Set(["GET", "HEAD"])

/**
 * Turns away who is not from here, pages of other origins (also those that made their name point here), and what a
 * page could send without being asked for permission. Throws where `peers` is no list of addresses and subnets.
 */
export const make = (remote: Remote) => {
  const peers = addressList(remote.peers)
  const hosts = new Set(remote.hosts.map((host) => host.toLowerCase()))
  const isKnown = (authority: string): boolean => {
    const name = hostName(authority)
    return name !== undefined && (isLoopback(name) || hosts.has(name))
  }
  return (request: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse | undefined => {
    const { host, origin, "content-type": contentType } = request.headers
    if (!Option.exists(request.peerAddress, (peer) => isLoopback(peer) || contains(peers, peer))) {
      return forbidden("this API answers this machine only")
    }
    if (host === undefined || !isKnown(host)) {
      return forbidden("the Host header must name this machine: localhost or a loopback address")
    }
    if (origin !== undefined && origin !== `http://${host}`) return forbidden("pages of other origins are not served")
    return reads.has(request.method) || isJson(contentType)
      ? undefined
      : refusal(415, "UnsupportedMediaType", `${request.method} needs the header Content-Type: application/json`)
  }
}
