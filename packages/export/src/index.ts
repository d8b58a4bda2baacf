/**
 * Exports everybody's conversation lists, and never loses its place. `@effect-zim/export/SqliteSink`, which needs Node, and
 * `@effect-zim/export/SqlSink`, for PostgreSQL, are entries of their own.
 *
 * @since 0.1.0
 */
export * as Checkpoint from "./Checkpoint.ts"
export * as ConversationRecord from "./ConversationRecord.ts"
export * as CsvSink from "./CsvSink.ts"
export * as Export from "./Export.ts"
export * as ExportSink from "./ExportSink.ts"
export * as Lock from "./Lock.ts"
export * as NdjsonSink from "./NdjsonSink.ts"
export * as Progress from "./Progress.ts"
export * as UserList from "./UserList.ts"
