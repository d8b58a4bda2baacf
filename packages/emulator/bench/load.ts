/** The other process: posts each target it is sent, 16 at a time over connections kept alive, and says when it is done. */
import * as Http from "node:http"
import { body } from "./body.ts"

const connections = 16
const agent = new Http.Agent({ keepAlive: true, maxSockets: connections })
const headers = { "content-type": "application/json", "content-length": body.length }

const post = (port: number, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    Http.request({ host: "127.0.0.1", port, path, method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => resolve())
    })
      .on("error", reject)
      .end(body)
  })

process.on("message", (job: { readonly port: number; readonly targets: Array<string> }) => {
  const lane = async (): Promise<void> => {
    const target = job.targets.pop()
    if (target === undefined) return
    await post(job.port, target)
    await lane()
  }
  void Promise.all(Array.from({ length: connections }, lane)).then(() => process.send?.("done"))
})
