/**
 * All that a law needs to know of the world around a pipeline: who is there, what goes wrong, and which readings of the
 * documentation the service takes.
 */
import { DocumentationReading } from "@effect-zim/emulator"
import * as Struct from "effect/Struct"
import type { FaultSchedule } from "./FaultSchedule.ts"
import * as InWords from "./internal/textForPeople.ts"
import type { TestWorld } from "./TestWorld.ts"

/**
 * A world, its faults, the readings where the documentation is silent, and a seed for all that is drawn (cursors,
 * nonces, the jitter of retries). Prints as a person would describe it.
 *
 * @category models
 * @since 0.1.0
 */
export class Scenario extends InWords.InWords {
  readonly world: TestWorld
  readonly faults: FaultSchedule
  readonly reading: Partial<DocumentationReading.DocumentationReading>
  readonly seed: number

  constructor(options: {
    readonly world: TestWorld
    readonly faults: FaultSchedule
    readonly reading?: Partial<DocumentationReading.DocumentationReading> | undefined
    readonly seed?: number | undefined
  }) {
    super()
    this.world = options.world
    this.faults = options.faults
    this.reading = options.reading ?? {}
    this.seed = options.seed ?? 0
  }

  override toString(): string {
    const unusual = Struct.keys(DocumentationReading.standard).flatMap((point) => {
      const choice = this.reading[point]
      return choice === undefined || choice === DocumentationReading.standard[point] ? [] : [`${point} ${choice}`]
    })
    return [
      String(this.world),
      String(this.faults),
      ...(unusual.length === 0 ? [] : [`reading: ${unusual.join(", ")}`]),
      ...(this.seed === 0 ? [] : [`seed: ${this.seed}`])
    ].join("\n")
  }
}
