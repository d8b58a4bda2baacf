/** For Node, Bun and Deno: takes the URL of the server, the method, and the user ids, separated by commas. */
import * as Process from "node:process"
import { probe } from "./probe.ts"

const [url = "", method = "", userIds = ""] = Process.argv.slice(2)
Process.stdout.write(JSON.stringify(await probe(url, userIds.split(","), method === "GET" ? "GET" : "POST")))
