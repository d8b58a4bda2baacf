/**
 * `zim exports submit`: takes users in, for workers to read.
 */
import { ClientError } from "@effect-zim/client"
import { AppId } from "@effect-zim/protocol"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { database, databaseUrl, positive, Quiet, standardStream, users, usersOf } from "../internal/flags.ts"
import { importDurable } from "../internal/lazyImports.ts"
import * as Output from "../internal/output.ts"
import { plural } from "../internal/quantities.ts"

const setting = "ZIM_APP_ID"

/** Whose users they are. Its secret is the workers' business. */
const appIdOf = Effect.fnUntraced(function* (flag: Option.Option<number>) {
  if (Option.isSome(flag)) return flag.value
  const given = yield* Effect.mapError(
    Config.option(Config.schema(AppId.FromString, setting)),
    ({ message }) => new ClientError.SettingsInvalid({ setting, problem: message.split("\n", 1)[0] ?? "" })
  )
  if (Option.isSome(given)) return given.value
  return yield* new ClientError.SettingsInvalid({ setting, problem: "not set, and there is no --app-id" })
})

const longestName = 64

/** What it is called unless somebody says so: the file's name and the day. */
const nameOf = Effect.fnUntraced(function* (users: string) {
  const { basename, extname } = yield* Path.Path
  const file = users === standardStream ? "users" : basename(users, extname(users))
  const day = DateTime.formatIsoDateUtc(yield* DateTime.now)
  return `${file.replaceAll(/[^\w.-]+/g, "-").slice(0, longestName - day.length - 1)}-${day}`
})

/**
 * The command.
 */
export const submit = Command.make(
  "submit",
  {
    database,
    users,
    name: Flag.String("name").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("What to call it; default: the file's name and today's date in UTC, as users-2026-11-29"),
      Flag.optional
    ),
    appId: Flag.Int("app-id").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription(`The app of the users; default ${setting}`),
      Flag.withSchema(AppId.AppId),
      Flag.optional
    ),
    batches: Flag.Int("batches").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("How many batches are read at a time, by all workers together; default 8"),
      Flag.withSchema(positive),
      Flag.optional
    ),
    concurrency: Flag.Int("concurrency").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Users of a batch read at a time; default 4"),
      Flag.withSchema(positive),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* (flags) {
    const url = yield* databaseUrl(flags.database)
    const appId = yield* appIdOf(flags.appId)
    const name = Option.isSome(flags.name) ? flags.name.value : yield* nameOf(flags.users)
    const durable = yield* importDurable
    const { export: submitted, isNew } = yield* Effect.provide(
      durable.submit(usersOf(flags.users), {
        name,
        appId,
        batches: Option.getOrUndefined(flags.batches),
        concurrency: Option.getOrUndefined(flags.concurrency)
      }),
      durable.store(url)
    )
    yield* Output.printLines([submitted.id])
    if (yield* Quiet) return
    const users = `${plural(submitted.lines, "user")}${submitted.lines === 0 ? ": the input is empty" : ""}`
    yield* Console.error(
      isNew
        ? `submitted with ${users}; to follow it: zim exports show ${submitted.id} --watch`
        : `it was submitted before, and is ${submitted.state.toLowerCase()}: nothing is done again\n` +
            "help: To export these users once more, give another --name."
    )
  })
).pipe(
  Command.withDescription(
    "Submit an export of many users, to be read by workers, and print its id. It is taken in wholly or not at all. The same " +
      "name, app and users again are the same export, so it is safe to repeat the command; to run it again, give another " +
      "--name."
  ),
  Command.withShortDescription("Submit an export, and print its id"),
  Command.withExamples([
    { command: "zim exports submit --users users.txt", description: "Once a day, however often it runs" },
    { command: "zim exports submit --users users.txt --name before-the-move", description: "By a name of your choice" },
    {
      command: "psql -Atc 'select id from users' | zim exports submit --users -",
      description: "Users from another program"
    }
  ])
)
