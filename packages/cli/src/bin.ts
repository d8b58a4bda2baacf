#!/usr/bin/env node
/** The `zim` program. What has a short answer gets it before the rest is loaded: that takes several times as long. */
import process from "node:process"
import * as Version from "./internal/version.ts"
import * as ShortAnswer from "./ShortAnswer.ts"

const loadProgram = async () => {
  const problem = Version.tooOld(process.versions.node)
  if (problem === undefined) return import("./program.ts")
  process.exitCode = 1
  return process.stderr.write(`${problem}\n`)
}

const answer = ShortAnswer.find(process.argv.slice(2))
if (answer === undefined) await loadProgram()
else {
  // The program tries it again, and says what is wrong.
  process.stdout.once("error", () => void loadProgram())
  process.stdout.write(answer)
}
