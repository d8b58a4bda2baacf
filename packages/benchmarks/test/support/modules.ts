/** Counts the modules that Node loads for one import; a program of its own, told which. */
import { registerHooks } from "node:module"

const [, , name = ""] = process.argv
const loaded = new Set<string>()
registerHooks({
  load: (url, context, next) => {
    if (url.startsWith("file:")) loaded.add(url)
    return next(url, context)
  }
})
await import(name)
process.stdout.write(JSON.stringify(loaded.size))
