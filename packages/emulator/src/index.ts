/**
 * A strict emulator of the ZIM server API. `@effect-zim/emulator/EmulatorServer`, which needs Node, is an entry of its own.
 */
export * as Change from "./Change.ts"
export * as Emulator from "./Emulator.ts"
export * as EmulatorClient from "./EmulatorClient.ts"
export * as Exchange from "./Exchange.ts"
export * as Fault from "./Fault.ts"
export * as FaultJson from "./FaultJson.ts"
export * as Journal from "./Journal.ts"
export * as Quota from "./Quota.ts"
export * as Reading from "./Reading.ts"
export * as ServiceClock from "./ServiceClock.ts"
export * as World from "./World.ts"
export * as WorldFolder from "./WorldFolder.ts"
