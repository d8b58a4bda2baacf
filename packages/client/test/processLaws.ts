/** A process whose quota is in a store, as the guide wires it: its start and its end wait for nobody. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Server } from "./quotaLaws.ts"
import * as ScriptProcess from "./scriptProcess.ts"

/** A script that uses `quotaProcess.ts`, and its store. */
export interface Scripted {
  readonly name: string
  readonly script: string
  readonly server: Effect.Effect<Server & { readonly url: string }, Error, Scope.Scope>
}

// Starting a process takes its time on a busy machine; one that hangs hangs for ever.
export const processLaws = ({ name, script, server: make }: Scripted) =>
  describe.concurrent(`a process with a quota over ${name}`, { timeout: 120_000 }, () => {
    const start = (url: string, policy: "fail" | "share") => ScriptProcess.start(script, url, policy)

    it.live("ends when it is done, though it hangs", () =>
      Effect.gen(function* () {
        const server = yield* make
        const { child, ended, output, said } = yield* start(server.url, "fail")
        yield* said(/done/)
        yield* server.freeze
        child.stdin?.write("end\n")
        assert.strictEqual(yield* ended, 0, output())
      })
    )

    it.live("ends by SIGTERM, though it hangs", () =>
      Effect.gen(function* () {
        const server = yield* make
        const { child, ended, output, said } = yield* start(server.url, "share")
        yield* said(/done/)
        yield* server.freeze
        child.kill("SIGTERM")
        assert.notStrictEqual(yield* ended, 0, output())
      })
    )

    for (const [policy, expected] of [
      ["fail", /not sent: the store of the shared quota does not answer: .*ECONNREFUSED/],
      ["share", /done/]
    ] as const) {
      it.live(`starts without it, with "${policy}"`, () =>
        Effect.gen(function* () {
          const server = yield* make
          yield* server.stop
          const { child, ended, output, said } = yield* start(server.url, policy)
          yield* said(expected)
          child.stdin?.write("end\n")
          assert.strictEqual(yield* ended, 0, output())
        })
      )
    }

    it.live("starts and ends beside one that hangs", () =>
      Effect.gen(function* () {
        const server = yield* make
        yield* server.freeze
        const { child, ended, output, said } = yield* start(server.url, "fail")
        yield* said(/not sent: the store of the shared quota does not answer: .*in time/)
        child.stdin?.write("end\n")
        assert.strictEqual(yield* ended, 0, output())
      })
    )
  })
