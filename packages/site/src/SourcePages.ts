/**
 * Sources as pages: nobody knows where the repository will be, and these can be read without a network.
 */
import { posix } from "node:path"
import { icon } from "./Icon.ts"
import * as MarkdownLinks from "./MarkdownLinks.ts"

/** Where a file or a folder of the repository is shown. */
export const pathOf = (path: string): string =>
  // Hosts leave out what begins with a dot.
  `source/${path.replaceAll(/(?<=^|\/)\./g, "dot-")}.html`

const escape = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (character) => `&#${character.codePointAt(0) ?? 0};`)

/** The same choice of light and dark as the rest of the site; without a script, what the system says. */
const appearance = `const chosen = localStorage.getItem("vitepress-theme-appearance")
document.documentElement.className =
  chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches) ? "dark" : "light"`

const page = (path: string, body: string): string => {
  const place = pathOf(path)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(path)} | effect-zim</title>
<link rel="icon" href="${icon}">
<script>${appearance}</script>
<link rel="stylesheet" href="${MarkdownLinks.relative(place, "source.css")}">
</head>
<body>
<header><nav aria-label="Site"><a href="${MarkdownLinks.relative(place, "index.html")}">effect-zim</a> <a href="${MarkdownLinks.relative(place, "api/index.html")}">API reference</a></nav><h1>${escape(path)}</h1></header>
<main>
${body}
</main>
</body>
</html>
`
}

/** A file with a number for each line, which links can lead to. */
export const file = (path: string, text: string): string => {
  const lines = text.replace(/\n$/, "").split("\n")
  const code = lines.map((line, i) => `<span id="L${i + 1}">${escape(line)}</span>`)
  return page(path, `<pre tabindex="0" aria-label="${escape(path)}"><code>${code.join("\n")}</code></pre>`)
}

/** What is in a folder. */
export const folder = (path: string, files: ReadonlyArray<string>): string => {
  const items = files.map((one) => {
    const href = MarkdownLinks.relative(pathOf(path), pathOf(one))
    return `<li><a href="${escape(href)}">${escape(posix.relative(path, one))}</a></li>`
  })
  return page(path, `<ul>\n${items.join("\n")}\n</ul>`)
}
