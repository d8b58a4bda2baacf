/** Who writes an output: this process, or another one that says so in JSON. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { hostname } from "node:os"
import process from "node:process"
import * as ExportSink from "../ExportSink.ts"

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

export const parse = Schema.decodeUnknownOption(Schema.fromJsonString(ExportSink.Holder))

export const inUse = (path: string, holder: Option.Option<ExportSink.Holder>): ExportSink.OutputInUse =>
  new ExportSink.OutputInUse({ path, ...(Option.isSome(holder) ? { holder: holder.value } : {}) })
