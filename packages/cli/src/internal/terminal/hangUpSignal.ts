/** SIGHUP: the terminal was closed, or the connection to it. */
import { readFileSync } from "node:fs"
import { basename } from "node:path"
import process, { env } from "node:process"

/** A file of Linux about a process; empty where there is none. */
const proc = (path: string): string => {
  try {
    return readFileSync(`/proc/${path}`, "utf8")
  } catch {
    return ""
  }
}

/**
 * Whether it was started under `nohup`. Node forgets at its start that SIGHUP was ignored, but there are traces: the shell
 * names the command that it has started, the shell of a script still ignores the signal (the lowest bit), and GNU's `nohup`
 * puts something that cannot be read in the place of the terminal.
 */
const isUnderNohup = (): boolean =>
  basename(env["_"] ?? "") === "nohup" ||
  /^SigIgn:.*[13579bdf]$/m.test(proc(`${process.ppid}/status`)) ||
  /^flags:.*1$/m.test(proc("self/fdinfo/0"))

/** Lets it stop the program as SIGTERM does, once: a closed terminal sends several. Under `nohup` the program goes on. */
export const listen = (): void => {
  let isHeard = isUnderNohup()
  process.on("SIGHUP", () => {
    if (isHeard) return
    isHeard = true
    process.emit("SIGTERM", "SIGTERM")
  })
}
