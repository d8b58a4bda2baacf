import { existsSync, readdirSync } from "node:fs"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import * as Programs from "./scripts/check/Programs.ts"

const packages = readdirSync(new URL("packages", import.meta.url))

// Tests run the sources: the workspace's own export condition points at `src/`. The list replaces Vite's, so it names
// `node` too, which is what Node itself goes by.
const conditions = ["@effect-zim/source", "node"]

// One suite of the benchmarks reaches into the client as it is built, past the export map.
const alias = [{ find: /\/client\/dist\/(.+)\.js$/, replacement: "/client/src/$1.ts" }]

// What cannot be tested on this machine is left out, loudly, and `scripts/check` says so at its end.
const leftOut = Programs.missing.map(({ files }) => files)
for (const { advice, what } of Programs.missing) {
  const line = "!".repeat(100)
  console.error(`${line}\nNOT TESTED: ${what}. ${advice}\n${line}`)
}

/** What takes a minute by the clock begins first, so that nothing waits for it at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await BaseSequencer.prototype.sort.call(this, files)
    return sorted.toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)))
  }
}

const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.includes("/test/long/")

export default defineConfig({
  resolve: { alias, conditions },
  ssr: { resolve: { conditions } },
  test: {
    allowOnly: false,
    // For the tests in a browser.
    env: Programs.chromium === undefined ? {} : { CHROMIUM: Programs.chromium },
    setupFiles: [fileURLToPath(new URL("vitest.setup.ts", import.meta.url))],
    // One more than there are cores: many tests wait for a browser, another process or the clock.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    // It only ends what hangs: property tests that take a second take a minute where both cores are busy with others.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    projects: [
      ...packages.map((name) => ({
        extends: true as const,
        test: {
          name,
          root: `packages/${name}`,
          include: ["test/**/*.test.ts"],
          exclude: ["test/long/**", ...leftOut],
          globalSetup: existsSync(new URL(`packages/${name}/test/bundle.ts`, import.meta.url)) ? "test/bundle.ts" : []
        }
      })),
      {
        // A minute by the clock.
        extends: true as const,
        test: {
          name: "sockets",
          root: "packages/client",
          include: ["test/long/*.test.ts"],
          exclude: leftOut
        }
      }
    ]
  }
})
