/** All suites, in the order of the report. */
import type { Suite } from "../Suite.ts"
import { coldStart } from "./coldStart.ts"
import { decode } from "./decode.ts"
import { policies } from "./policies.ts"
import { quota } from "./quota.ts"
import { size } from "./size.ts"
import { stream } from "./stream.ts"

export const suites: ReadonlyArray<Suite> = [decode, stream, policies, quota, coldStart, size]
