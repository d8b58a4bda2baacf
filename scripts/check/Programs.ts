/**
 * Programs that some tests need and not every machine has. These are the only tests that may be left out, and only
 * where the program is missing.
 */
import { spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"

/** Tests that cannot run here. */
export interface Missing {
  readonly what: string
  readonly advice: string
  /** Which test files, in every package. */
  readonly files: string
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/snap/bin/chromium",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
]

const named = process.env["CHROMIUM"]

/** A browser: the one that `CHROMIUM` names, or one in a usual place. */
export const chromium: string | undefined = (named === undefined ? places : [named]).find(isExecutable)

/** What to do where there is none. */
export const withoutChromium =
  "Chromium is not installed (apt-get install chromium), or CHROMIUM does not say where it is"

// In CI there has to be one.
export const hasRedis = process.env["CI"] !== undefined || spawnSync("redis-server", ["--version"]).status === 0

export const hasPostgres =
  process.env["CI"] !== undefined ||
  ["initdb", "postgres"].every((program) => spawnSync(program, ["--version"]).status === 0)

// That of util-linux: others take other arguments.
const hasTerminal = process.env["CI"] !== undefined || spawnSync("script", ["--version"]).status === 0

export const missing: ReadonlyArray<Missing> = [
  ...(hasTerminal
    ? []
    : [
        {
          what: "zim on a real terminal",
          advice: "script of util-linux is not installed",
          files: "test/**/terminal.test.ts"
        }
      ]),
  ...(hasRedis
    ? []
    : [
        {
          what: "anything over Redis",
          advice: "redis-server is not installed (apt-get install redis-server)",
          files: "test/**/redis*.test.ts"
        }
      ]),
  ...(hasPostgres
    ? []
    : [
        {
          what: "anything over PostgreSQL",
          advice: "initdb and postgres are not installed, or not in PATH (apt-get install postgresql)",
          files: "test/**/postgres*.test.ts"
        }
      ]),
  ...(chromium === undefined
    ? [
        {
          what: "the inspector in a browser",
          advice: withoutChromium,
          files: "test/**/browser.*.test.ts"
        }
      ]
    : [])
]
