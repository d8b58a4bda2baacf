import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const packages = readdirSync(new URL("packages", import.meta.url))

// Tests run the sources: the workspace's own export condition points at `src/`. The list replaces Vite's, so it names
// `node` too, which is what Node itself goes by.
const conditions = ["@effect-zim/source", "node"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    allowOnly: false,
    setupFiles: [fileURLToPath(new URL("vitest.setup.ts", import.meta.url))],
    // Property tests share two cores with everything else in CI; a hang still ends.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: packages.map((name) => ({
      extends: true,
      test: { name, root: `packages/${name}`, include: ["test/**/*.test.ts"] }
    }))
  }
})
