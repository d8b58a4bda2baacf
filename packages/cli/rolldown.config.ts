/**
 * What is published: `bin.js`, which starts at once, `zim.js`, the program, and in `parts` what some commands load when they
 * run. All are made from the sources. Decision 19 says why these files, and why this bundler.
 */
import { Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { defineConfig, type InputOptions, type OutputOptions, type Plugin } from "rolldown"

/** Node loads these when the code that needs them runs; import statements would load all of them at the start. */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  resolveId: {
    // Rolldown's own helpers import `node:module`, and need it first.
    filter: { id: /^node:(?!module$)/ },
    handler: (id, _importer, { kind }) => (kind === "import-statement" ? `\0${id}` : undefined)
  },
  load: {
    filter: { id: /^\0node:/ },
    handler: (id) => ({
      code: `module.exports = process.getBuiltinModule(${JSON.stringify(id.slice(1))})`,
      moduleSideEffects: false
    })
  }
}

/** The inspector's files, which the emulator reads from its own folder, as text. */
const inspectorFiles: Plugin = {
  name: "inspector-files",
  load: {
    filter: { id: /\/emulator\/src\/internal\/admin\/inspectorFiles\.ts$/ },
    handler: (id) => {
      const folder = join(dirname(id), "../../inspector")
      const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")])
      return `const files = ${JSON.stringify(Object.fromEntries(files))}; export const read = (name) => files[name]`
    }
  }
}

/** The folder of the package that a module was installed with; of our own modules, `undefined`. */
const installedFolder = (module: string): string | undefined =>
  /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module)?.[0]

const decodeManifest = Schema.decodeSync(
  Schema.fromJsonString(Schema.Struct({ license: Schema.String, name: Schema.String, version: Schema.String }))
)

const noticeOf = (folder: string): string => {
  const { license, name, version } = decodeManifest(readFileSync(join(folder, "package.json"), "utf8"))
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name))
  if (file === undefined) throw new Error(`${name} has no license file: put its notice into the bundle in another way`)
  return `${name} ${version}, ${license}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`
}

/** The licenses of everything that is in the bundle ask to go with it. */
const licenses: Plugin = {
  name: "licenses",
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []))
    const folders = new Set(modules.map(installedFolder).filter((folder) => folder !== undefined))
    const notices = [...folders].map(noticeOf).toSorted()
    const source = ["zim.js contains these packages.\n", ...notices].join(`\n${"-".repeat(80)}\n\n`)
    this.emitFile({ type: "asset", fileName: "THIRD-PARTY-LICENSES.txt", source })
  }
}

const common: InputOptions = {
  platform: "node",
  resolve: { conditionNames: ["@effect-zim/source", "node", "import", "default"] },
  // A warning is about something that would be missing or wrong when it runs.
  onLog: (_level, log) => {
    throw new Error(log.message)
  }
}

// What bundlers are told by comments, nobody reads any more.
const comments = { legal: true, annotation: false, jsdoc: false }

const output: OutputOptions = { dir: "dist", format: "esm", codeSplitting: false, minify: true, comments }

export default defineConfig([
  {
    ...common,
    input: "src/bin.ts",
    external: /\/program\.ts$/,
    output: { ...output, cleanDir: true, paths: (id) => (id.endsWith("/program.ts") ? "./zim.js" : id) }
  },
  {
    ...common,
    input: "src/program.ts",
    plugins: [lazyBuiltins, inspectorFiles, licenses],
    output: {
      ...output,
      entryFileNames: "zim.js",
      chunkFileNames: "parts/[name].js",
      // One file of all that is needed at the start, and one for each import that waits.
      codeSplitting: { groups: [{ name: "zim", tags: ["$initial"] }] }
    }
  }
])
