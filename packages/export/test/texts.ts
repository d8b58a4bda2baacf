/** Texts that files and databases may take for one another. */
import { World } from "@effect-zim/emulator"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { app } from "./support.ts"

/** What texts are made of here: what files and databases cannot hold, what stands for it, and neighbours of both. */
const pieces = [
  ..."\\u0c5d8af\0=',\n\r\t\"a",
  "\ud800",
  "\udc00",
  "\ufffd",
  "\u{1f600}",
  "é",
  "e\u0301",
  "\u2028",
  "\\ud800",
  "\\u0000",
  "\\u005c",
  "\\n"
]
export const Texts = Arbitrary.array(
  Arbitrary.map(Arbitrary.array(Arbitrary.schema(Schema.Literals(pieces)), { maxLength: 8 }), (parts): string =>
    parts.join("")
  ),
  { minLength: 1, maxLength: 12 }
)

/** A world with one user, `u`, whose conversations have these ids. */
export const worldOf = (ids: ReadonlyArray<string>) =>
  World.make({
    apps: [app],
    users: [{ userId: "u", conversations: ids.map((ConvId, UpdateTime) => ({ ConvId, ConvType: 2, UpdateTime })) }]
  })
