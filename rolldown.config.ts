/**
 * The JavaScript of `policies`, `protocol` and `client`: all that comes with a package's index in one file, since to Node a module
 * costs as much for being a file as for what is in it. Every module stays an entry of its own. `tsc` adds the types.
 * Decision 24.
 */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { defineConfig, type Plugin, type RolldownOptions } from "rolldown"

/** Notes which modules come with the index, when all of them are known. */
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

const library = (name: string): RolldownOptions => {
  const folder = join(import.meta.dirname, "packages", name)
  const files = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" })
  const modules = files.filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -".ts".length))
  const reached = new Set<string>()
  return {
    input: Object.fromEntries(modules.map((module) => [module, join(folder, `src/${module}.ts`)])),
    external: /^(?:effect|@effect-zim)\//,
    platform: "neutral",
    // Users of a library may import what nobody uses here.
    treeshake: false,
    plugins: [reachedFrom(join(folder, "src/index.ts"), reached)],
    onLog: (_level, log) => {
      throw new Error(log.message)
    },
    output: {
      dir: join(folder, "dist"),
      format: "esm",
      sourcemap: true,
      // Bundlers heed the annotations.
      comments: { legal: false, annotation: true, jsdoc: false },
      minifyInternalExports: false,
      chunkFileNames: "internal/[name].js",
      codeSplitting: { groups: [{ name: "all", test: (id) => reached.has(id) }] }
    }
  }
}

export default defineConfig(["policies", "protocol", "client"].map(library))
