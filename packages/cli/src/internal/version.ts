import manifest from "../../package.json" with { type: "json" }

export const { version } = manifest

/** What `--version` prints. */
export const line = `zim ${version}`
