#!/usr/bin/env node
/** The `zim` program. What has a short answer gets it before the rest is loaded: that takes several times as long. */
import { argv, stdout } from "node:process"
import * as ShortAnswer from "./ShortAnswer.ts"

const loadProgram = () => import("./zim.ts")

const answer = ShortAnswer.find(argv.slice(2))
if (answer === undefined) await loadProgram()
else {
  // The program tries it again, and says what is wrong.
  stdout.once("error", () => void loadProgram())
  stdout.write(answer)
}
