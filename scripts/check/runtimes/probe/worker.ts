/** For workerd: the same, asked for over HTTP. */
import * as Schema from "effect/Schema"
import { GivenJson, last } from "./Check.ts"
import { client, packages } from "./probe.ts"

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request: Request): Promise<Response> {
    const given = Schema.decodeSync(GivenJson)(await request.text())
    const answers = { ...(await client(given)), ...(await packages(given)) }
    console.log(last[0])
    console.error(last[1])
    return Response.json(answers)
  }
}
