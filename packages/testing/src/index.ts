/**
 * Property-based tests for pipelines over the ZIM server API: worlds and faults to draw, a client on a clock that goes on
 * by itself, and laws.
 */
export * as Arbitraries from "./Arbitraries.ts"
export * as FaultSchedule from "./FaultSchedule.ts"
export * as Laws from "./Laws.ts"
export * as Scenario from "./Scenario.ts"
export * as TestWorld from "./TestWorld.ts"
export * as ZimTest from "./ZimTest.ts"
