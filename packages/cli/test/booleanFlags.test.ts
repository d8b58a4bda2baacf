import { assert, layer } from "@effect/vitest"
import { ZimCommand } from "@effect-zim/cli"
import { Emulator, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect, Layer } from "effect"
import { Completions } from "effect/cli"
import { app, invokeAt, type Outcome } from "./support.ts"

/** What Effect's parser takes for the value of a boolean flag, and one word that it does not. */
const words = ["1", "0", "true", "false", "yes", "no", "on", "off", "y", "n", "word"]

const world = World.make({ apps: [app], users: words.map((userId) => ({ userId })) })

const service = EmulatorServer.layer().pipe(
  Layer.provide(Emulator.layer({ world, quota: ServiceQuota.unlimited })),
  Layer.orDie
)

interface Place {
  readonly path: ReadonlyArray<string>
  /** Flags that only this command has. */
  readonly own: ReadonlyArray<string>
}

const spellings = (flags: ReadonlyArray<Completions.FlagDescriptor>): ReadonlyArray<string> =>
  flags
    .filter(({ type }) => type._tag === "Boolean")
    .flatMap(({ aliases, name }) => [
      `--${name}`,
      `--no-${name}`,
      `--${name}=off`,
      ...aliases.map((alias) => `-${alias}`)
    ])

const placesOf = (command: Completions.CommandDescriptor, path: ReadonlyArray<string> = []): ReadonlyArray<Place> => [
  { path, own: spellings(command.flags) },
  ...command.subcommands.flatMap((one) => placesOf(one, [...path, one.name]))
]

const everywhere = ["--quiet", "--no-quiet", "--quiet=off", "-q", "--help", "-h", "--version", "-v"]

/** Without what differs from run to run. */
const stable = ({ stderr, ...outcome }: Outcome): Outcome => ({
  ...outcome,
  stderr: stderr.replaceAll(/request id \d+/g, "request id 1").replaceAll(/\b\d+ms\b/g, "1ms")
})

layer(service, { excludeTestServices: true })("a boolean flag takes no word for its value", (it) => {
  for (const { own, path } of placesOf(Completions.fromCommand(ZimCommand.zim))) {
    it.effect(`zim ${path.join(" ")}: wherever it stands, it says the same as at the end`, () =>
      Effect.gen(function* () {
        const { url } = yield* EmulatorServer.EmulatorServer
        // A command that takes no word does not run at all. All words with all flags would take a minute: they take turns.
        for (const [turn, flag] of [...own, ...everywhere].entries()) {
          for (const word of [words[turn % words.length] ?? "", words[(turn * 3 + 5) % words.length] ?? ""]) {
            const line = [...path, word]
            const last = stable(yield* invokeAt(url, [...line, flag]))
            for (let at = own.includes(flag) ? path.length : 0; at < line.length; at++) {
              const args = line.toSpliced(at, 0, flag)
              assert.deepStrictEqual(stable(yield* invokeAt(url, args)), last, args.join(" "))
            }
          }
        }
      })
    )
  }

  it.effect("what is not asked for is not shown: there is no --no-help", () =>
    Effect.gen(function* () {
      for (const flag of ["--no-help", "--no-version"]) {
        const outcome = yield* invokeAt("http://127.0.0.1:1", ["codes", flag])
        assert.deepStrictEqual([outcome.code, outcome.stdout], [2, ""], flag)
      }
    })
  )
})
