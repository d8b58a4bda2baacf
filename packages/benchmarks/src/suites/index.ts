/** All suites, in the order of the report. */
import type { Suite } from "../Suite.ts"
import { call } from "./call.ts"
import { coldStart } from "./coldStart.ts"
import { decode } from "./decode.ts"
import { emulated } from "./emulator.ts"
import { exporting } from "./exporting.ts"
import { listing } from "./listing.ts"
import { policies } from "./policies.ts"
import { quota } from "./quota.ts"
import { size } from "./size.ts"
import { stream } from "./stream.ts"

export const suites: ReadonlyArray<Suite> = [
  decode,
  call,
  listing,
  stream,
  policies,
  quota,
  exporting,
  emulated,
  coldStart,
  size
]
