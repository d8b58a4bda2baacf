/**
 * The `zim` command line as values, for this repository's tests. What is published is the program only.
 */
export * as ExitCode from "./ExitCode.ts"
export * as ErrorReport from "./ErrorReport.ts"
export * as ZimCommand from "./ZimCommand.ts"
export * as ShortAnswer from "./ShortAnswer.ts"
