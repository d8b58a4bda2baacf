import { UndiciHttpClient } from "@effect-zim/node"
import * as Effect from "effect/Effect"
import type { Check } from "./Check.ts"
import { clientOf, readsList } from "./client.ts"

export const check: Check = (given) => Effect.provide(readsList, clientOf(given, UndiciHttpClient.layer))
