/** One subject that is measured: what it is called, what it is about, and how its tables come about. */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import type * as Scope from "effect/Scope"
import type { Table } from "./Results.ts"

/** What a suite may use. What it acquires is released at its end. */
export type Requirements = ChildProcessSpawner.ChildProcessSpawner | FileSystem.FileSystem | Path.Path | Scope.Scope

export interface Suite {
  /** As it is typed: `npm run bench -- NAME`. */
  readonly name: string
  readonly title: string
  /** Markdown: what is measured and how, what a reader must know to judge it. */
  readonly about: string
  /** Runs in a process of its own. An error ends this suite only. */
  readonly run: Effect.Effect<ReadonlyArray<Table>, Error, Requirements>
}
