/** Bundles `zim` once for all test files: what is published is tested, and starts in a third of the time of the sources. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"
import type { TestProject } from "vitest/node"
import parts from "../rolldown.config.ts"

const bundle = mkdtempSync(join(tmpdir(), "zim-bundle-"))
const cwd = fileURLToPath(new URL("..", import.meta.url))

const make = async () => {
  for (const part of parts) {
    // The first one empties the folder.
    // oxlint-disable-next-line no-await-in-loop
    await build({ ...part, cwd, output: { ...part.output, dir: bundle } })
  }
  // Compiles it, too: a test of a full disk could not.
  const env = { NODE_COMPILE_CACHE: join(bundle, "compiled") }
  execFileSync(process.execPath, [join(bundle, "bin.js"), "--help"], { env, stdio: ["ignore", "ignore", "inherit"] })
}

export const setup = async (project: TestProject) => {
  await make()
  // Where `support.ts` looks.
  process.env["ZIM_TEST_BUNDLE"] = bundle
  // In watch mode.
  project.onTestsRerun(make)
}

export const teardown = () => rmSync(bundle, { recursive: true, force: true })
