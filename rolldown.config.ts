/**
 * What Node loads of the packages that every program has: one file for each of them, `dist/node/internal/all.js`, since to
 * Node a module costs as much for being a file as for what is in it. Bundlers get `dist`, module by module, of which they
 * leave out what nobody uses. Decision 24.
 */
import { readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { defineConfig, type Plugin, type RolldownOptions } from "rolldown"

const packages = ["signing", "protocol", "client"]

/** The modules that come with the package's index, when all of them are known. */
const reachedFrom = (index: string, reached: Set<string>): Plugin => ({
  name: "reached",
  buildEnd() {
    const add = (id: string): void => {
      if (reached.has(id)) return
      reached.add(id)
      this.getModuleInfo(id)?.importedIds.forEach(add)
    }
    add(index)
  }
})

const forNode = (name: string): RolldownOptions => {
  const folder = join(import.meta.dirname, "packages", name)
  const modules = readdirSync(join(folder, "src")).filter((file) => file.endsWith(".ts"))
  const reached = new Set<string>()
  return {
    input: Object.fromEntries(modules.map((file) => [basename(file, ".ts"), join(folder, "src", file)])),
    external: /^(?:effect|@effect-zim)\//,
    platform: "neutral",
    // Whoever imports one name of a package may import any other.
    treeshake: false,
    plugins: [reachedFrom(join(folder, "src/index.ts"), reached)],
    onLog: (_level, log) => {
      throw new Error(log.message)
    },
    output: {
      dir: join(folder, "dist/node"),
      cleanDir: true,
      format: "esm",
      sourcemap: true,
      comments: { legal: false, annotation: true, jsdoc: false },
      minifyInternalExports: false,
      chunkFileNames: "internal/[name].js",
      codeSplitting: { groups: [{ name: "all", test: (id) => reached.has(id) }] }
    }
  }
}

export default defineConfig(packages.map(forNode))
