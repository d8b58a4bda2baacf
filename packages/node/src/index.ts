/**
 * What is Node's own: an `HttpClient` for Effect that keeps connections open and adds least.
 *
 * @since 0.1.0
 */
export * as UndiciHttpClient from "./UndiciHttpClient.ts"
