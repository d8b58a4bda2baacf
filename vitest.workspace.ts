import { existsSync, readdirSync } from "node:fs"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
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

export default defineConfig({
  resolve: { alias, conditions },
  ssr: { resolve: { conditions } },
  test: {
    allowOnly: false,
    // For the tests in a browser.
    env: Programs.chromium === undefined ? {} : { CHROMIUM: Programs.chromium },
    setupFiles: [fileURLToPath(new URL("vitest.setup.ts", import.meta.url))],
    // Vitest leaves a core to itself, and on two cores that is half of them: it has little to do while tests run.
    maxWorkers: Math.max(2, availableParallelism() - 1),
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
        // A minute by the clock, in a group of its own: nothing else runs meanwhile.
        extends: true as const,
        test: {
          name: "sockets",
          root: "packages/client",
          include: ["test/long/*.test.ts"],
          exclude: leftOut,
          testTimeout: 150_000,
          // Both at the same time.
          maxWorkers: 2,
          sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
