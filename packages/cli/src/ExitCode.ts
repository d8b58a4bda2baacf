/**
 * The exit codes of `zim`.
 */
import * as Context from "effect/Context"
import * as MutableRef from "effect/MutableRef"
import * as Struct from "effect/Struct"

/**
 * Every exit code, and what it stands for.
 */
export const table = {
  Ok: { code: 0, meaning: "Done; also when the reader of a pipe has closed it" },
  Failure: {
    code: 1,
    meaning: "Another failure: an unusable file, output or port, an unknown code"
  },
  Usage: { code: 2, meaning: "The command line is wrong" },
  Settings: { code: 3, meaning: "A ZIM_ setting is missing or malformed" },
  Request: { code: 4, meaning: "The request is wrong: an illegal or unregistered user" },
  Authentication: { code: 5, meaning: "The secret, the clock or the app's permissions are wrong" },
  RateLimit: { code: 6, meaning: "The calls still exceed the rate limit after all retries" },
  Service: { code: 7, meaning: "No usable answer from the service after all retries" },
  ExportFailed: { code: 8, meaning: "The export that was watched has failed" },
  ExportCancelled: { code: 9, meaning: "The export that was watched was cancelled" },
  Interrupted: { code: 130, meaning: "Stopped by Ctrl+C, SIGTERM or the end of the terminal" }
} as const

/**
 * The name of an exit code.
 */
export type Name = keyof typeof table

/**
 * All names.
 */
export const names = Struct.keys(table)

/**
 * What the process ends with when a signal interrupts it. A command that runs until it is stopped sets it to 0.
 */
export const WhenInterrupted = Context.Reference<MutableRef.MutableRef<number>>("@effect-zim/cli/WhenInterrupted", {
  defaultValue: () => MutableRef.make<number>(table.Interrupted.code)
})
