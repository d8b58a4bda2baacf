/** Puts the probe and the packages into one folder, as each bundler does it for a server. */
import { Effect } from "effect"
import * as Esbuild from "esbuild"
import { builtinModules } from "node:module"
import { rolldown } from "rolldown"
import { build } from "vite"
import webpack from "webpack"
import { CheckFailed } from "../Step.ts"

/** What the system of a runtime has, by both of its names. */
const isBuiltin = new RegExp(`^(?:node:.*|${builtinModules.join("|")})$`)

/** The probe in JavaScript: loaders of TypeScript are not what is looked at. */
export const strip = (from: string, to: string): Promise<unknown> =>
  Esbuild.build({
    entryPoints: [`${from}/*.ts`],
    outdir: to,
    bundle: true,
    // Every import stays as it is, and finds a file of JavaScript.
    plugins: [
      {
        name: "beside",
        setup: ({ onResolve }) =>
          onResolve({ filter: /./ }, ({ kind, path }) =>
            kind === "entry-point" ? undefined : { path: path.replace(/^(\..*)\.ts$/, "$1.js"), external: true }
          )
      }
    ],
    format: "esm",
    logLevel: "silent"
  })

interface Options {
  readonly cwd: string
  /** A file of the probe. */
  readonly input: string
  /** The folder to write to: `program.mjs`, and what it loads. */
  readonly output: string
}

const esbuild = ({ cwd, input, output }: Options): Promise<unknown> =>
  Esbuild.build({
    absWorkingDir: cwd,
    entryPoints: { program: input },
    outdir: output,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "node",
    // What is written for CommonJS asks for what Node has by `require`.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)' },
    logLevel: "silent"
  })

const byRolldown = async ({ cwd, input, output }: Options): Promise<unknown> => {
  const bundle = await rolldown({
    cwd,
    input: { program: input },
    platform: "node",
    external: isBuiltin,
    logLevel: "silent"
  })
  return bundle.write({ dir: output, entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs", minify: true })
}

const vite = ({ cwd, input, output }: Options): Promise<unknown> =>
  build({
    root: cwd,
    configFile: false,
    logLevel: "silent",
    // Packages are left out of a build for a server unless one asks.
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir: output,
      rolldownOptions: { input: { program: input }, output: { entryFileNames: "[name].mjs" } }
    }
  })

const byWebpack = ({ cwd, input, output }: Options): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const compiler = webpack({
      context: cwd,
      mode: "production",
      target: "node",
      entry: { program: input },
      output: {
        path: output,
        filename: "[name].mjs",
        chunkFilename: "[name].mjs",
        module: true,
        chunkFormat: "module"
      },
      optimization: { minimize: false },
      experiments: { outputModule: true }
    })
    compiler.run((error, stats) => {
      compiler.close(() => {})
      if (error !== null) reject(error)
      else if (stats?.hasErrors() === true) reject(new Error(stats.toString({ all: false, errors: true })))
      else resolve(stats)
    })
  })

/**
 * For workerd, which has no modules but those that it is given, as Cloudflare's own tools do it; what is missing there is
 * found out when it is asked for.
 */
const forWorkers = ({ cwd, input, output }: Options): Promise<unknown> =>
  Esbuild.build({
    absWorkingDir: cwd,
    entryPoints: { worker: input },
    outdir: output,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker"],
    external: ["node:*", ...builtinModules],
    logLevel: "silent"
  })

const failing =
  (bundler: string, bundle: (options: Options) => Promise<unknown>) =>
  (options: Options): Effect.Effect<void, CheckFailed> =>
    Effect.asVoid(
      Effect.tryPromise({
        try: () => bundle(options),
        catch: (error) =>
          new CheckFailed({ output: `${bundler}: ${error instanceof Error ? error.message : String(error)}` })
      })
    )

export const bundlers = {
  esbuild: failing("esbuild", esbuild),
  rolldown: failing("rolldown", byRolldown),
  vite: failing("vite", vite),
  webpack: failing("webpack", byWebpack)
}

export const worker = failing("esbuild", forWorkers)
