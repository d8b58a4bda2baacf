import * as Inspectable from "effect/Inspectable"

/** A value that prints as text for people, wherever a test runner or a log prints it. */
export abstract class InWords extends Inspectable.Class {
  abstract override toString(): string

  toJSON(): string {
    return this.toString()
  }
}

/** Every line further to the right. */
export const indent = (text: string, by = "  "): string =>
  text
    .split("\n")
    .map((line) => `${by}${line}`)
    .join("\n")

/** `1 conversation`, `2 conversations`. */
export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`

/** The first few, and how many more there are. */
export const some = (items: ReadonlyArray<string>, atMost: number, separator = ", "): string =>
  items.length <= atMost
    ? items.join(separator)
    : `${items.slice(0, atMost).join(separator)}${separator}and ${items.length - atMost} more`
