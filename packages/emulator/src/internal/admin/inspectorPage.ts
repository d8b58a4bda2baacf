import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createHash } from "node:crypto"
import { read } from "./inspectorFiles.ts"

/** Without indentation and comments, which the browser has no use for. */
const compact = (text: string): string =>
  text
    .replaceAll(/\/\*\*[\s\S]*?\*\/\s?/g, "")
    .replaceAll(/\n\s+/g, "\n")
    .replaceAll(/^\/\/.*\n/gm, "")
    .trim()

/** The inspector: one document, with the style and the script in it. */
export const document = (): string =>
  compact(read("inspector.html"))
    .replace('<link rel="stylesheet" href="inspector.css" />', () => `<style>${compact(read("inspector.css"))}</style>`)
    .replace('src="inspector.js">', () => `>${compact(read("inspector.js"))}`)

const hashes = (html: string, tag: "script" | "style"): string =>
  Array.from(html.matchAll(new RegExp(`<${tag}\\b[^>]*>([\\s\\S]*?)</${tag}>`, "g")), ([, text = ""]) => {
    const hash = createHash("sha256").update(text).digest("base64")
    return `'sha256-${hash}'`
  }).join(" ") || "'none'"

/**
 * What a page may do: run the scripts and use the styles that stand in it, ask the server it comes from, and nothing
 * else. No markup can be made from strings.
 */
const policy = (html: string): string =>
  [
    "default-src 'none'",
    `script-src ${hashes(html, "script")}`,
    `style-src ${hashes(html, "style")}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'"
  ].join("; ")

/** A page as it is served. */
export const response = (html: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(html, { contentType: "text/html; charset=utf-8" }).pipe(
    HttpServerResponse.setHeaders({
      "content-security-policy": policy(html),
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer"
    })
  )
