import { WireJson } from "@effect-zim/protocol"

/** `JSON.stringify` is many times faster on a long list, and throws where it meets a bigint. */
const printMember = (value: unknown): string => {
  if (typeof value === "bigint") return value.toString()
  try {
    return JSON.stringify(value)
  } catch {
    return WireJson.stringify(value)
  }
}

/** The JSON of an answer; integers of any size are exact. */
export const print = (fields: object): string =>
  `{${Object.entries(fields)
    .map(([key, value]) => `"${key}":${printMember(value)}`)
    .join(",")}}`
