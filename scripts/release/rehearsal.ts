/**
 * The whole release but the upload: in a clone of its own the pending changesets become versions, and the packages are
 * published to a registry on loopback, where what would be the users' is looked at.
 */
import { Effect, FileSystem } from "effect"
import * as Command from "../check/Command.ts"
import { CheckFailed, unusable } from "../check/Step.ts"
import { publicManifests } from "../check/Tarballs.ts"
import { type Publication, Registry } from "./Registry.ts"

/** Commits and tags are made by somebody. */
const somebody = Object.fromEntries(
  ["GIT_AUTHOR", "GIT_COMMITTER"].flatMap((who) => [
    [`${who}_NAME`, "Rehearsal"],
    [`${who}_EMAIL`, "rehearsal@localhost"]
  ])
)

/** A clone of what is committed, whose packages have the versions of the release. */
const versioned = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const cwd = yield* Effect.mapError(fs.makeTempDirectoryScoped({ prefix: "effect-zim-release-" }), unusable)
  yield* Command.succeed("git", ["clone", "--quiet", Command.root, cwd])
  yield* Command.pnpm(["install", "--frozen-lockfile", "--prefer-offline"], { cwd })
  yield* Command.succeed("npm", ["run", "changeset:version"], { cwd })
  yield* Command.succeed("git", ["add", "--all"], { cwd })
  yield* Command.succeed("git", ["commit", "--quiet", "--allow-empty", "-m", "Release"], { cwd, env: somebody })
  return cwd
})

const problemsOf = (publication: Publication, versions: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  Object.values(publication.versions).flatMap(
    ({ dependencies, license, name, peerDependencies, repository, version }) => {
      const needed = Object.entries({ ...dependencies, ...peerDependencies })
      const wrong = needed.filter(([other, range]) => {
        const released = versions.get(other)
        return released === undefined ? range.includes(":") : range !== `^${released}`
      })
      return [
        ...(version === "0.0.0" ? ["has no version"] : []),
        ...(license === undefined ? ["has no licence"] : []),
        // Without it, nobody can say that it was made there.
        ...(repository === undefined ? ["has no repository"] : []),
        ...wrong.map(([other, range]) => `needs ${other}@${range}, which is not published`)
      ].map((problem) => `${name}@${version} ${problem}`)
    }
  )

/** Releases, and gives a line for each package. */
export const rehearse = Effect.gen(function* () {
  const cwd = yield* versioned
  const { published, url } = yield* Registry
  yield* Command.succeed("node", ["scripts/release.ts", "--loopback", new URL(url).port], {
    cwd,
    env: { PATH: `${cwd}/node_modules/.bin:${Command.path}`, ...somebody },
    timeout: "15 minutes"
  })
  const all = published.flatMap(({ versions }) => Object.values(versions))
  const versions = new Map(all.map(({ name, version }) => [name, version]))
  const names = (yield* publicManifests).map(({ name }) => name)
  const tags = new Set((yield* Command.succeed("git", ["tag"], { cwd })).split("\n"))
  const found = [
    ...names.filter((name) => !versions.has(name)).map((name) => `${name} was not published`),
    ...published.flatMap((publication) => problemsOf(publication, versions)),
    ...all.filter(({ name, version }) => !tags.has(`${name}@${version}`)).map(({ name }) => `${name} has no tag`)
  ]
  if (found.length > 0) return yield* new CheckFailed({ output: found.join("\n") })
  return published.map(({ _attachments, versions }) => {
    const names = Object.values(versions).map(({ name, version }) => `${name.padEnd(24)} ${version}`)
    const size = Object.values(_attachments).reduce((sum, { data }) => sum + Buffer.from(data, "base64").length, 0)
    return `${names.join()}  ${`${(size / 1024).toFixed(0)} kB`.padStart(8)}`
  })
}).pipe(Effect.provide(Registry.layer))
