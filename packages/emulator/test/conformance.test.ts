/** `npm run conformance`: whom it asks. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../conformance/main.ts", import.meta.url))

/** What `zim emulator start` tells a person to set. */
const settings = {
  ZIM_APP_ID: "12345",
  ZIM_SERVER_SECRET: "emulator-only-not-a-real-secret",
  ZIM_BASE_URL: "http://127.0.0.1:1",
  ZIM_CONFORMANCE_USER: "user-1"
}

/** The first line that it prints, wherever. */
const firstLine = async (env: Record<string, string>): Promise<string> => {
  const child = spawn(process.execPath, ["--conditions=@effect-zim/source", main], {
    env: { PATH: process.env["PATH"] ?? "", ...settings, ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const lines = [child.stdout, child.stderr].map((stream) => once(createInterface(stream), "line"))
  const [line] = await Promise.race(lines)
  child.kill()
  await once(child, "close")
  return String(line)
}

describe("npm run conformance", () => {
  it("starts an emulator where no service is named, whatever a client's settings are", async () => {
    assert.match(await firstLine({}), /^\d+ tests of docs\/contract.md against the emulator$/)
  })

  it("sends nothing that was set up for an emulator to a service", async () => {
    const line = await firstLine({ ZIM_CONFORMANCE_BASE_URL: "https://service.invalid" })
    assert.strictEqual(line, "ZIM_SERVER_SECRET is that of an emulator, which is on this machine")
  })

  it("takes no empty name for one", async () => {
    assert.match(await firstLine({ ZIM_CONFORMANCE_BASE_URL: "" }), /ZIM_CONFORMANCE_BASE_URL/)
  })
})
