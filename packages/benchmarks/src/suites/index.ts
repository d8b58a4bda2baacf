/** All suites, in the order of the report. */
import type { Suite } from "../Suite.ts"
import { decode } from "./decode.ts"
import { policies } from "./policies.ts"

export const suites: ReadonlyArray<Suite> = [decode, policies]
