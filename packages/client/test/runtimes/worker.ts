/** For workerd: the same, asked for over HTTP. */
import { probe } from "./probe.ts"

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url)
    return Response.json(await probe(searchParams.get("url") ?? "", await request.text().then((ids) => ids.split(","))))
  }
}
