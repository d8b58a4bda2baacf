/**
 * Where the service is: its regional hosts, or a base URL of one's own.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The regions with a host of their own: Shanghai, Hong Kong, Frankfurt, California, Mumbai, Singapore. Choose the one
 * nearest to the calling server.
 *
 * Source: contract, section 2, hosts.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Region = Schema.Literals(["sha", "hkg", "fra", "lax", "bom", "sgp"])

/**
 * One of the regions.
 *
 * @category schemas
 * @since 0.1.0
 */
export type Region = typeof Region.Type

/** Names and addresses that stay on this machine: plain http is safe there. */
const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" ||
  hostname.endsWith(".localhost") ||
  hostname === "[::1]" ||
  /^127(?:\.\d{1,3}){3}$/.test(hostname)

const problem = (text: string): string | undefined => {
  if (!URL.canParse(text)) return "a base URL looks like https://zim-api.zego.im"
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") return "a base URL has no user name or password in it"
  // Not `url.search` and `url.hash`: they are empty for a bare `?` and `#`, after which nothing may come either.
  if (/[?#]/.test(text)) return "a base URL has no query and no fragment: they are the client's to add"
  if (url.protocol === "https:") return undefined
  if (url.protocol !== "http:") return `a base URL starts with https://, not ${url.protocol}//`
  return isLoopback(url.hostname)
    ? undefined
    : "plain http is for loopback hosts only: a signed URL is a credential, and the service is https only"
}

/**
 * A base URL to send requests to: https, or plain http on a loopback host; a path prefix is kept, for a proxy.
 *
 * @example
 * ```ts
 * import { Endpoint } from "@effect-zim/client"
 * import { Config } from "effect"
 *
 * const proxy = Config.schema(Endpoint.BaseUrl, "ZIM_PROXY") // https://proxy.example/zim
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const BaseUrl = Schema.String.check(Schema.makeFilter(problem)).pipe(Schema.brand("@effect-zim/client/BaseUrl"))

/**
 * A URL that has been checked.
 *
 * @category schemas
 * @since 0.1.0
 */
export type BaseUrl = typeof BaseUrl.Type

/**
 * The base URL of a region, or of the host that serves any region.
 *
 * @example
 * ```ts
 * import { Endpoint } from "@effect-zim/client"
 *
 * Endpoint.ofRegion("fra") // "https://zim-api-fra.zego.im"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofRegion = (region?: Region): BaseUrl =>
  BaseUrl.make(region === undefined ? "https://zim-api.zego.im" : `https://zim-api-${region}.zego.im`)

/**
 * Whether an endpoint is one of the vendor's, whatever its port, and with the dot that may end a name or without.
 *
 * @internal
 */
export const isVendor = ({ host }: Endpoint): boolean => /(?:^|\.)zego\.im\.?(?::\d+)?$/.test(host)

/**
 * Where requests go.
 *
 * @category models
 * @since 0.1.0
 */
export interface Endpoint {
  /** The URL up to the question mark: requests are posted to the root of the base URL. */
  readonly root: string
  /** The host, with the port where it is not the usual one. */
  readonly host: string
}

/**
 * The endpoint of a base URL.
 *
 * @example
 * ```ts
 * import { Endpoint } from "@effect-zim/client"
 *
 * Endpoint.make(Endpoint.ofRegion("fra")).host // "zim-api-fra.zego.im"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (baseUrl: BaseUrl): Endpoint => {
  const { host, href } = new URL(baseUrl)
  return { root: href.endsWith("/") ? href : `${href}/`, host }
}
