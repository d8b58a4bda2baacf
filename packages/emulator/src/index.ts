/**
 * A strict emulator of the ZIM server API. `@effect-zim/emulator/EmulatorServer`, which needs Node, is an entry of its own.
 */
export * as DocumentationReading from "./DocumentationReading.ts"
export * as Emulator from "./Emulator.ts"
export * as EmulatorClient from "./EmulatorClient.ts"
export * as Fault from "./Fault.ts"
export * as FaultJson from "./FaultJson.ts"
export * as HttpExchange from "./HttpExchange.ts"
export * as Journal from "./Journal.ts"
export * as ServiceClock from "./ServiceClock.ts"
export * as ServiceQuota from "./ServiceQuota.ts"
export * as World from "./World.ts"
export * as WorldChange from "./WorldChange.ts"
export * as WorldFolder from "./WorldFolder.ts"
