import { assert, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"

it("processes that start from one snapshot of the heap draw nonces of their own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zim-snapshot-"))
  try {
    await build({
      input: fileURLToPath(new URL("snapshot.program.ts", import.meta.url)),
      external: /^node:/,
      resolve: { conditionNames: ["@effect-zim/source", "import", "default"] },
      output: { file: join(folder, "program.cjs"), format: "cjs", codeSplitting: false }
    })
    const node = (...args: ReadonlyArray<string>) =>
      execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
    node("--snapshot-blob", "heap.blob", "--build-snapshot", "program.cjs")
    const started = Array.from({ length: 3 }, () => node("--snapshot-blob", "heap.blob"))
    const nonces = started.join("").trim().split(" ")
    assert.strictEqual(nonces.length, 6)
    assert.strictEqual(new Set(nonces).size, 6)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
