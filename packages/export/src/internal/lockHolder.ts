/** Who writes: this process. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { hostname } from "node:os"
import process from "node:process"
import type * as ExportSink from "../ExportSink.ts"

/** This machine. Deno asks for a permission to tell it. */
export const host = (): string => {
  try {
    return hostname()
  } catch {
    return "this machine"
  }
}

export const holder: Effect.Effect<ExportSink.Holder> = Effect.map(DateTime.now, (now) => ({
  pid: process.pid,
  host: host(),
  since: DateTime.formatIso(now)
}))
