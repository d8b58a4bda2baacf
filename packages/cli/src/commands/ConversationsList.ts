/**
 * `zim conversations list`: one user's list.
 */
import { Conversations, ZimClient } from "@effect-zim/client"
import { ConversationRecord } from "@effect-zim/export"
import { UndiciHttpClient } from "@effect-zim/node"
import { type Conversation, PageSize } from "@effect-zim/protocol"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Colors from "../internal/colors.ts"
import * as ExportTarget from "../internal/exportTarget.ts"
import { positive, Quiet, spreadsheet } from "../internal/flags.ts"
import * as Output from "../internal/output.ts"
import { fit, printable } from "../internal/printableText.ts"
import { plural } from "../internal/quantities.ts"
import * as Terminal from "../internal/terminal.ts"

const timeTitle = "UPDATED (UTC)"
const typeWidth = "OneToOne".length
const timeWidth = "2024-02-18T11:06:35".length

/** The id comes last and is cut to the terminal: nothing has to be aligned with it, so lines are printed as they come. */
const tableLine =
  (width: number | undefined) =>
  (conversation: Conversation.Conversation): string => {
    const time = DateTime.formatIso(conversation.updatedAt)
      .replace("T", " ")
      .replace(/\.\d+Z$/, "")
    const id = printable(conversation.id)
    return [
      time.padEnd(timeWidth),
      conversation.type.padEnd(typeWidth),
      width === undefined ? id : fit(id, width - timeWidth - typeWidth - 4)
    ].join("  ")
  }

const summary = (userId: string, count: number): string =>
  `${count === 0 ? "No" : count} ${count === 1 ? "conversation" : "conversations"} of ${userId}`

const table = <E, R>(conversations: Stream.Stream<Conversation.Conversation, E, R>, userId: string) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const style = yield* Colors.style
      const width = yield* Terminal.width
      const line = tableLine(width)
      let count = 0
      const header = `${style.bold(timeTitle.padEnd(timeWidth))}  ${style.bold("TYPE".padEnd(typeWidth))}  ${style.bold("CONVERSATION")}\n`
      const isQuiet = yield* Quiet
      // A count is for people: in a pipe it would be one more line to skip.
      const footer = Stream.suspend(() =>
        width === undefined || isQuiet ? Stream.empty : Stream.make(`\n${style.dim(summary(userId, count))}\n`)
      )
      return conversations.pipe(
        Stream.map((conversation) => {
          count++
          return `${line(conversation)}\n`
        }),
        Output.withHeader(header),
        Stream.concat(footer)
      )
    })
  )

/** The pages, one after the other, with a debug log for each. */
const conversationsOf = (userId: string, pageSize: number) =>
  Conversations.pages(userId, { pageSize }).pipe(
    Stream.tap((page) =>
      Effect.logDebug(
        `a page of ${plural(page.conversations.length, "conversation")}${Option.isSome(page.next) ? ", more to come" : ", the last"}`
      )
    ),
    Stream.map((page) => page.conversations),
    Stream.flattenIterable
  )

/**
 * The command.
 */
export const list = Command.make(
  "list",
  {
    userId: Argument.String("USER").pipe(Argument.withDescription("The user's id, at most 32 characters")),
    format: Output.formatFlag("How to print them; default: table on a terminal, ndjson in a pipe"),
    type: Flag.ChoiceWithValue("type", [
      ["one-to-one", "OneToOne"],
      ["group", "Group"]
    ]).pipe(Flag.withDescription("Only conversations of this type"), Flag.optional),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Stop after so many; pages beyond them are not fetched"),
      Flag.withSchema(positive),
      Flag.optional
    ),
    spreadsheet,
    pageSize: Flag.Int("page-size").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Conversations per call, 1 to 500; default 500, since every call costs quota"),
      Flag.withSchema(PageSize.PageSize),
      Flag.withDefault(PageSize.make(PageSize.maximum))
    )
  },
  Effect.fnUntraced(function* ({ format, limit, pageSize, spreadsheet, type, userId }) {
    const conversations = conversationsOf(userId, pageSize).pipe(
      Option.isSome(type) ? Stream.filter((conversation) => conversation.type === type.value) : (all) => all,
      Option.isSome(limit) ? Stream.take(limit.value) : (all) => all
    )
    const chosen = yield* Output.formatFor(format, "table", "ndjson")
    yield* ExportTarget.assertCsv(spreadsheet, chosen)
    yield* Output.print(
      chosen === "table"
        ? table(conversations, userId)
        : Output.encode(
            Stream.map(conversations, (conversation) => ConversationRecord.make(userId, conversation)),
            chosen,
            ConversationRecord.keys,
            spreadsheet
          )
    )
  })
).pipe(
  Command.provide(() => ZimClient.layerConfig().pipe(Layer.provide(UndiciHttpClient.layer))),
  Command.withDescription(
    "List a user's conversations, at most the latest 1000, in the order of the service: the longest unchanged first."
  ),
  Command.withShortDescription("List a user's conversations"),
  Command.withExamples([
    { command: "zim conversations list user-42" },
    { command: "zim conversations list user-42 --type group --limit 10", description: "Ten groups" },
    {
      command: "zim conversations list user-42 --format csv --spreadsheet > user-42.csv",
      description: "For a spreadsheet"
    },
    {
      command: "zim conversations list user-42 | jq -r .conversationId",
      description: "In a pipe: one JSON object per line"
    },
    { command: "zim conversations list -- -user-", description: "An id that begins with a hyphen" }
  ])
)
