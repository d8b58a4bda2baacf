/** Flags and arguments of several commands, and what they stand for. */
import { Quota, ZimClient } from "@effect-zim/client"
import { UserList } from "@effect-zim/export"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { CommandFailed } from "../ErrorReport.ts"

// ---- values ----

export const positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/** The path of a file: an unset variable of the shell makes it empty. */
export const path = Schema.String.check(Schema.makeFilter((text) => text !== "", { expected: "the path of a file" }))

const readDuration = Schema.decodeUnknownOption(Schema.DurationFromString)

const duration = Schema.String.check(
  Schema.makeFilter((text) => Option.isSome(readDuration(text)), { expected: 'a duration, such as "5 seconds"' })
).pipe(Schema.decodeTo(Schema.DurationFromString))

export const finiteDuration = duration.check(Schema.makeFilter(Duration.isFinite, { expected: "a finite duration" }))

export const positiveDuration = duration.check(
  Schema.makeFilter((duration) => Duration.isFinite(duration) && Duration.isPositive(duration), {
    expected: "a finite duration above 0"
  })
)

/**
 * A flag that is there or not. A word after it is never its value, as effect/cli would have it of `1`, `no` and the like:
 * `--name=no` is what sets it to false.
 */
export const boolean = (name: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withOptionalValue("true"), Flag.withDefault(false))

/** `--spreadsheet` */
export const spreadsheet = boolean("spreadsheet").pipe(
  Flag.withDescription("CSV for a spreadsheet: with a byte-order mark, and no id is taken for a formula")
)

// ---- --quiet ----

/** Results and errors, and nothing that is only nice to know. */
export const Quiet = GlobalFlag.Setting("quiet")({
  flag: boolean("quiet").pipe(Flag.withAlias("q"), Flag.withDescription("Print results and errors only"))
})

/** Warnings are no errors: `--quiet` leaves them out, unless `--log-level` asks for more. */
export const quietLogs = Layer.effect(
  References.MinimumLogLevel,
  Effect.gen(function* () {
    const level = yield* References.MinimumLogLevel
    return (yield* Quiet) && level === "Info" ? "Error" : level
  })
)

// ---- --users ----

/** The users of an export. */
export const users = Flag.String("users").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("The users' ids, one on each line; - reads standard input"),
  Flag.withSchema(path)
)

/** What stands for standard input. */
export const standardStream = "-"

/** Their ids: the lines of the file, or of standard input. */
export const usersOf = (
  file: string
): Stream.Stream<string, UserList.UserListUnreadable, FileSystem.FileSystem | Stdio.Stdio> => {
  if (file !== standardStream) return UserList.file(file)
  return Stream.unwrap(
    Stdio.Stdio.useSync(({ stdin }) =>
      Stream.mapError(
        UserList.lines(stdin),
        (error) =>
          new UserList.UserListUnreadable({
            path: "standard input",
            reason: { _tag: error._tag === "NotUtf8" ? "NotUtf8" : "Unreadable" },
            problem: error.message
          })
      )
    )
  )
}

// ---- --calls-per-second ----

const defaultCallsPerSecond = 20

/** The quota of the app; without it, the settings say how many. */
export const callsPerSecond = Flag.Int("calls-per-second").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription(`The app's quota; default ${defaultCallsPerSecond}, which all programs of the app share`),
  Flag.withSchema(positive),
  Flag.optional
)

/** What the quota is made of: what the flag says, or else the settings. */
export const quotaOptions = (callsPerSecond: Option.Option<number>, settings: Quota.Options = {}): Quota.Options =>
  Option.match(callsPerSecond, { onNone: () => settings, onSome: (limit) => ({ limit }) })

const readQuota = (callsPerSecond: Option.Option<number>) =>
  Effect.map(ZimClient.readSettings(), ({ quota }) => quotaOptions(callsPerSecond, quota))

export const quotaLayer = (callsPerSecond: Option.Option<number>) =>
  Layer.unwrap(Effect.map(readQuota(callsPerSecond), Quota.layer))

/** How many calls a second a quota allows. */
export const perSecond = ({ limit = defaultCallsPerSecond, window = "1 second" }: Quota.Options = {}): number =>
  Number((limit / Duration.toSeconds(window)).toPrecision(3))

/** The same of a command's. */
export const quotaPerSecond = (callsPerSecond: Option.Option<number>) =>
  Effect.map(readQuota(callsPerSecond), perSecond)

// ---- exports in a database ----

/** The id of an export. */
export const exportId = Argument.String("ID").pipe(Argument.withDescription("Its id, as zim exports list has it"))

const databaseSetting = "ZIM_DATABASE_URL"

/** `--database`. Its URL may have a password: nothing here shows any of it. */
export const database = Flag.Redacted("database").pipe(
  Flag.withMetavar("URL"),
  Flag.withDescription(`The PostgreSQL database; default ${databaseSetting}, which ps does not show`),
  Flag.optional
)

const isPostgres = (url: string): boolean => URL.canParse(url) && /^postgres(?:ql)?:$/.test(new URL(url).protocol)

const exampleUrl = "postgres://USER:PASSWORD@HOST:5432/DATABASE"

/** The URL that the flag has, or the environment. */
export const databaseUrl = Effect.fnUntraced(function* (flag: Option.Option<Redacted.Redacted>) {
  const isFlag = Option.isSome(flag)
  const given = isFlag ? flag : yield* Effect.orDie(Config.option(Config.Redacted(databaseSetting)))
  if (Option.isNone(given)) {
    return yield* new CommandFailed({
      problem: `${databaseSetting}: not set: it says where exports are kept`,
      advice: `Set it in the environment: ${exampleUrl}`,
      exit: "Settings"
    })
  }
  if (isPostgres(Redacted.value(given.value))) return given.value
  return yield* new CommandFailed({
    problem: `${isFlag ? "--database" : databaseSetting}: it is not the URL of a PostgreSQL database`,
    advice: `Write ${exampleUrl}, and in the password %23 for #, %2F for / and %3F for ?.`,
    exit: isFlag ? "Usage" : "Settings"
  })
})
