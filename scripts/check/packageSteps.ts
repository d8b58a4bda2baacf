import type * as Step from "./Step.ts"
export const packageSteps: ReadonlyArray<Step.Step> = []
