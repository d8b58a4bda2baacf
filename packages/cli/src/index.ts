/**
 * The `zim` command line as a value, for programs that embed or test it. The program itself is `zim`.
 */
export * as ExitCode from "./ExitCode.ts"
export * as Failure from "./Failure.ts"
export * as Main from "./Main.ts"
