/** The versions of Node that the packages are tried on beside the workspace's own. */
import { Effect } from "effect"
import * as Command from "./Command.ts"

/** The oldest version that the packages support, and the newest; the workspace's own is between them. */
export const versions = ["22.19.0", "26.10.0"] as const

/** The program of a version, which npx fetches. */
export const programOf = (version: string) =>
  Effect.map(
    Command.succeed("npx", ["-y", "-p", `node@${version}`, "node", "-p", "process.execPath"]),
    (output) => output.trim().split("\n").at(-1) ?? ""
  )
