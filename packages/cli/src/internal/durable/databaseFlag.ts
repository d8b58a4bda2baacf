/** Which database the exports are in. Its URL may have a password: nothing here shows any of it. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { CommandFailed } from "../../ErrorReport.ts"

const setting = "ZIM_DATABASE_URL"

/** The `--database` flag. */
export const database = Flag.Redacted("database").pipe(
  Flag.withMetavar("URL"),
  Flag.withDescription(`The PostgreSQL database; default ${setting}, which ps does not show`),
  Flag.optional
)

const isDatabase = (url: string): boolean => URL.canParse(url) && /^postgres(?:ql)?:$/.test(new URL(url).protocol)

const example = "postgres://USER:PASSWORD@HOST:5432/DATABASE"

/** The URL that the flag has, or the environment. */
export const urlOf = Effect.fnUntraced(function* (flag: Option.Option<Redacted.Redacted>) {
  const isFlag = Option.isSome(flag)
  const given = isFlag ? flag : yield* Effect.orDie(Config.option(Config.Redacted(setting)))
  if (Option.isNone(given)) {
    return yield* new CommandFailed({
      problem: `${setting}: not set: it says where exports are kept`,
      advice: `Set it in the environment: ${example}`,
      exit: "Settings"
    })
  }
  if (isDatabase(Redacted.value(given.value))) return given.value
  return yield* new CommandFailed({
    problem: `${isFlag ? "--database" : setting}: it is not the URL of a PostgreSQL database`,
    advice: `Write ${example}, and in the password %23 for #, %2F for / and %3F for ?.`,
    exit: isFlag ? "Usage" : "Settings"
  })
})
