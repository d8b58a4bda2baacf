import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const packages = readdirSync(new URL("packages", import.meta.url))

// Tests run the sources: the workspace's own export condition points at `src/`. The list replaces Vite's, so it names
// `node` too, which is what Node itself goes by.
const conditions = ["@effect-zim/source", "node"]

// In CI there has to be one.
const hasRedis = process.env["CI"] !== undefined || spawnSync("redis-server", ["--version"]).status === 0
if (!hasRedis) {
  const line = "!".repeat(100)
  console.error(
    `${line}\nNOTHING IS TESTED OVER REDIS: redis-server is not installed (apt-get install redis-server)\n${line}`
  )
}
const exclude = hasRedis ? [] : ["test/**/redis*.test.ts"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    allowOnly: false,
    setupFiles: [fileURLToPath(new URL("vitest.setup.ts", import.meta.url))],
    // Property tests share two cores with everything else in CI; a hang still ends.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      ...packages.map((name) => ({
        extends: true as const,
        test: {
          name,
          root: `packages/${name}`,
          include: ["test/**/*.test.ts"],
          exclude: ["test/long/**", ...exclude]
        }
      })),
      {
        // A minute by the clock, in a group of its own: nothing else runs meanwhile.
        extends: true as const,
        test: {
          name: "sockets",
          root: "packages/client",
          include: ["test/long/*.test.ts"],
          exclude,
          testTimeout: 150_000,
          // Both at the same time.
          maxWorkers: 2,
          sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
