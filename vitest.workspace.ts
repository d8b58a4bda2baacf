import { defineConfig } from "vitest/config"

const packages = ["signing", "protocol", "client", "emulator", "cli"]

// Tests run the sources: the workspace's own export condition points at `src/`.
const conditions = ["@effect-zim/source"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: packages.map((name) => ({
      extends: true,
      test: { name, root: `packages/${name}`, include: ["test/**/*.test.ts"] }
    }))
  }
})
