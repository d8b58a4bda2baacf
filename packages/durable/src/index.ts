/**
 * Exports that outlive a machine: workflows on Effect's cluster, kept in PostgreSQL.
 *
 * @since 0.1.0
 */
export * as Apps from "./Apps.ts"
export * as DurableExport from "./DurableExport.ts"
export * as Exports from "./Exports.ts"
export * as ExportStore from "./ExportStore.ts"
export * as ExportWorkflow from "./ExportWorkflow.ts"
export * as MemoryStore from "./MemoryStore.ts"
export * as SqlStore from "./SqlStore.ts"
export * as Telemetry from "./Telemetry.ts"
