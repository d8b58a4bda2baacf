import type { OperationHandler } from "./operationHandler.ts"
import * as QueryConversationList from "./queryConversationList.ts"

/** Every operation that is served, by its action: the names are case-sensitive. */
export const byAction: ReadonlyMap<string, OperationHandler> = new Map(
  [QueryConversationList.handler].map((handler) => [handler.action, handler])
)
