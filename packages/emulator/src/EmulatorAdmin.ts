/**
 * The emulator's admin API over HTTP, on a port of its own: for other languages, for the command line, and for the
 * inspector page. Node only. `AdminApi` has its routes; `GET /openapi.json` describes them.
 *
 * It answers this machine only: other peers, `Host` headers that name another machine, and pages of other origins get
 * 403; what changes something needs `Content-Type: application/json`; no CORS header is ever sent.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type { Emulator } from "./Emulator.ts"
import { HostNotLoopback } from "./EmulatorServer.ts"
import * as AccessGuard from "./internal/admin/accessGuard.ts"
import * as AdminHandlers from "./internal/admin/adminHandlers.ts"
import * as InspectorPage from "./internal/admin/inspectorPage.ts"
import * as NodeServer from "./internal/nodeServer.ts"

/**
 * A running admin API: where it listens.
 *
 * @example
 * ```ts
 * import * as EmulatorAdmin from "@effect-zim/emulator/EmulatorAdmin"
 *
 * const inspector = EmulatorAdmin.EmulatorAdmin.useSync(({ url }) => `Open ${url}`)
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class EmulatorAdmin extends Context.Service<
  EmulatorAdmin,
  {
    /** `http://127.0.0.1:PORT`. */
    readonly url: string
  }
>()("@effect-zim/emulator/EmulatorAdmin") {}

/**
 * How an admin API is served.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** 0, the default, takes a free one. */
  readonly port?: number | undefined
  /** A loopback address, default 127.0.0.1; any other only with `remote`. */
  readonly host?: string | undefined
  /** The base URL of the emulator itself, to be shown in `GET /status`. */
  readonly emulatorUrl?: string | undefined
  /** Instead of the inspector, the page at `GET /`: one HTML document that loads nothing from elsewhere. */
  readonly page?: string | undefined
  /**
   * Lets other machines in. Whoever gets in can read and change everything but secrets.
   */
  readonly remote?: AccessGuard.Remote | undefined
}

const routes = (options: Options) =>
  Layer.merge(
    AdminHandlers.layer(options.emulatorUrl),
    HttpRouter.add("GET", "/", InspectorPage.response(options.page ?? InspectorPage.document()))
  )

const noSuchRoute = AccessGuard.refusal(404, "AdminNotFound", "there is no such route: GET /openapi.json lists them")

// What a request body may hold: a large world.
const maximumBodyBytes = 268_435_456

/**
 * Serves the admin API on a loopback port until the layer is closed. Fails with `HostNotLoopback` where others could
 * reach it, unless `remote` lets them.
 *
 * @example
 * ```ts
 * import { Emulator, World } from "@effect-zim/emulator"
 * import * as EmulatorAdmin from "@effect-zim/emulator/EmulatorAdmin"
 * import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
 * import * as Layer from "effect/Layer"
 *
 * const layer = Layer.merge(EmulatorServer.layer({ port: 9460 }), EmulatorAdmin.layer({ port: 9461 })).pipe(
 *   Layer.provide(Emulator.layer({ world: World.generate({ seed: 1, users: 40 }) }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<EmulatorAdmin, HostNotLoopback | HttpServerError.ServeError, Emulator> => {
  const host = options.host ?? "127.0.0.1"
  if (options.remote === undefined && !AccessGuard.isLoopback(host)) {
    return Layer.effect(EmulatorAdmin, Effect.fail(new HostNotLoopback({ host })))
  }
  const guard = AccessGuard.make(options.remote ?? { hosts: [], peers: [] })
  const serve = Layer.unwrap(
    Effect.map(HttpRouter.toHttpEffect(routes(options)), (app) =>
      HttpServer.serve(
        HttpServerRequest.HttpServerRequest.useSync(guard).pipe(
          Effect.flatMap((refused) => (refused === undefined ? app : Effect.succeed(refused))),
          Effect.catchReason("HttpServerError", "RouteNotFound", () => Effect.succeed(noSuchRoute)),
          Effect.map(
            HttpServerResponse.setHeaders({ "cache-control": "no-store", "x-content-type-options": "nosniff" })
          )
        )
      )
    )
  )
  return NodeServer.layer(EmulatorAdmin, serve, { host, port: options.port, maximumBodyBytes })
}
