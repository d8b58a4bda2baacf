import manifest from "../../package.json" with { type: "json" }

export const { version } = manifest

/** What `--version` prints. */
export const line = `zim ${version}`

const [, needed = ""] = manifest.engines.node.split(">=")

const comparable = (version: string): number => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major * 1000 + minor
}

/** What there is to say, as an error, where the program cannot run on this version of Node. */
export const tooOld = (node: string): string | undefined =>
  comparable(node) < comparable(needed)
    ? `error: zim needs Node ${needed} or later, and this is ${node}\nhelp: Run it with a newer Node.`
    : undefined
