/**
 * The ZIM server API's contract as values. No I/O, no clock, no policy.
 *
 * @since 0.1.0
 */
export * as AppId from "./AppId.ts"
export * as Catalog from "./Catalog.ts"
export * as Conversation from "./Conversation.ts"
export * as Cursor from "./Cursor.ts"
export * as Envelope from "./Envelope.ts"
export * as Excerpt from "./Excerpt.ts"
export * as Operation from "./Operation.ts"
export * as OperationCode from "./OperationCode.ts"
export * as PageSize from "./PageSize.ts"
export * as Query from "./Query.ts"
export * as QueryConversationList from "./QueryConversationList.ts"
export * as ReturnCode from "./ReturnCode.ts"
export * as ServiceError from "./ServiceError.ts"
export * as UserId from "./UserId.ts"
export * as WireJson from "./WireJson.ts"
