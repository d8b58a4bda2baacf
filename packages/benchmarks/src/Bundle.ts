/** Programs as bundles: minified, with everything they use inside. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as ChildProcess from "effect/process/ChildProcess"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import type { Role } from "./Contestant.ts"
import * as Paths from "./Paths.ts"

export interface Program {
  readonly name: string
  readonly role: Role
  readonly source: string
}

/** Reads one list and prints the ids of it: the smallest program there is any use for. */
const minimalClient = `
import * as Conversations from "@effect-zim/client/Conversations"
import * as ZimClient from "@effect-zim/client/ZimClient"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"

const client = ZimClient.layer({ appId: 12345, serverSecret: Redacted.make(process.argv[2]) })
const program = Stream.runForEach(Conversations.stream("user-1"), ({ id }) => Effect.sync(() => console.log(id)))
Effect.runPromise(program.pipe(Effect.provide(client), Effect.provide(FetchHttpClient.layer)))
`

const effectAlone = `
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"

const Page = Schema.Struct({ Code: Schema.Int, List: Schema.Array(Schema.Struct({ ConvId: Schema.String })) })
const program = HttpClient.get(process.argv[2]).pipe(
  Effect.flatMap(HttpClientResponse.schemaBodyJson(Page)),
  Effect.map(({ List }) => List.forEach(({ ConvId }) => console.log(ConvId)))
)
Effect.runPromise(Effect.provide(program, FetchHttpClient.layer))
`

/** What the client uses of Effect beside that, with as little of its own as there can be. */
const effectParts = `
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

class Failed extends Schema.TaggedError()("Failed", { code: Schema.Int }) {}
const Page = Schema.Struct({ Code: Schema.Int, List: Schema.Array(Schema.Struct({ ConvId: Schema.String })) })
const answers = Metric.counter("answers")
const page = HttpClient.get(process.argv[2]).pipe(
  Effect.flatMap(HttpClientResponse.schemaBodyJson(Page)),
  Effect.tap(() => Metric.update(answers, 1)),
  Effect.flatMap((page) => (page.Code === 0 ? Effect.succeed(page) : Effect.fail(new Failed({ code: page.Code })))),
  Effect.retry(Schedule.exponential("1 second"))
)
const program = Stream.runForEach(
  Stream.paginate(0, (n) => Effect.map(page, ({ List }) => [List, n])),
  ({ ConvId }) => Effect.sync(() => console.log(ConvId))
)
Effect.runPromise(Effect.provide(program, FetchHttpClient.layer))
`

const zodAndFetch = `
import * as z from "zod"

const Page = z.object({ Code: z.int(), List: z.array(z.object({ ConvId: z.string() })) })
const response = await fetch(process.argv[2])
Page.parse(await response.json()).List.forEach(({ ConvId }) => console.log(ConvId))
`

const axios = `
import axios from "axios"

const { data } = await axios.get(process.argv[2])
data.List.forEach(({ ConvId }) => console.log(ConvId))
`

const signOne = `
import * as Signature from "@effect-zim/signing/Signature"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

const signing = Signature.sign({ appId: 12345, serverSecret: Redacted.make(process.argv[2]) })
console.log(Signature.toQuery(await Effect.runPromise(signing), "QueryConversationList"))
`

export const programs: ReadonlyArray<Program> = [
  { name: "HttpClient and Schema alone", role: "limit", source: effectAlone },
  { name: "and what else the client uses of Effect", role: "limit", source: effectParts },
  { name: "zod 4 and fetch", role: "peer", source: zodAndFetch },
  { name: "axios", role: "peer", source: axios },
  { name: "signing one request", role: "ours", source: signOne },
  { name: "all of signing", role: "ours", source: `export * from "@effect-zim/signing"` },
  { name: "all of protocol", role: "ours", source: `export * from "@effect-zim/protocol"` },
  { name: "minimal client", role: "ours", source: minimalClient }
]

export interface Bundle {
  readonly minified: number
  readonly gzipped: number
}

const sizes = (code: string | Uint8Array): Bundle => ({
  minified: Buffer.byteLength(code),
  gzipped: gzipSync(code, { level: 9 }).length
})

/** Of files that belong together, each gzipped for itself. */
const sum = (files: ReadonlyArray<Bundle>): Bundle => ({
  minified: files.reduce((total, { minified }) => total + minified, 0),
  gzipped: files.reduce((total, { gzipped }) => total + gzipped, 0)
})

export interface Options {
  /** Conditions of the export maps, beside those that every bundler sets. */
  readonly conditions?: ReadonlyArray<string> | undefined
}

const entry = "entry.js"

export const make = (program: Pick<Program, "source">, options: Options = {}): Effect.Effect<Bundle> =>
  Effect.promise(async () => {
    const build = await rolldown({
      input: entry,
      cwd: Paths.root,
      platform: "node",
      resolve: { conditionNames: ["import", "default", ...(options.conditions ?? [])] },
      // The program is a text, so this is its file; its imports are resolved as if it stood in this package.
      plugins: [
        {
          name: "program",
          resolveId(id, importer) {
            if (id === entry) return { id: Paths.program }
            return importer === Paths.program ? this.resolve(id, Paths.manifest, { skipSelf: true }) : undefined
          },
          load: (id) => (id === Paths.program ? program.source : undefined)
        }
      ],
      logLevel: "silent"
    })
    const { output } = await build.generate({ format: "esm", minify: true })
    await build.close()
    const chunks = output.filter((file) => file.type === "chunk")
    return sum(chunks.map(({ code }) => sizes(code)))
  })

/** Builds the command line as it is published. */
export const buildCommandLine = Effect.gen(function* () {
  const cwd = Paths.commandLinePackage
  const child = yield* ChildProcess.make(`${cwd}/node_modules/.bin/rolldown`, ["--config"], { cwd, stderr: "inherit" })
  const code = yield* child.exitCode
  if (code !== 0) return yield* Effect.die(`rolldown in ${cwd} ended with ${code}`)
}).pipe(Effect.scoped)

/** All its code. */
export const commandLine = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const files = yield* fs.glob("dist/*.js", { root: Paths.commandLinePackage })
  const each = yield* Effect.forEach(files, (file) =>
    Effect.map(fs.readFile(`${Paths.commandLinePackage}/${file}`), sizes)
  )
  return sum(each)
})
