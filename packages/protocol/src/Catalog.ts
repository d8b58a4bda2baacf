/**
 * The operations that the vendor documents: how each is sent, and whether it changes something. What has no typed
 * operation here is called by its name, and still sent as documented. A module of its own, since most clients need none
 * of it.
 *
 * Source: the vendor's OpenAPI files and pages.
 *
 * @since 0.1.0
 */

/**
 * How an operation is sent: `POST` with a body of JSON, or `GET` with everything in the query.
 *
 * @category models
 * @since 0.1.0
 */
export type Method = "GET" | "POST"

/**
 * What is documented of an operation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Documented {
  readonly method: Method
  /** A read changes nothing, so repeating it is safe. */
  readonly kind: "Read" | "Write"
}

const readByGet = [
  // On a host of its own: auth-api.zego.im.
  "CgiDescribeZIMAudioLicense",
  "QueryAppCommunityList",
  "QueryAppGroupList",
  "QueryBlacklist",
  "QueryFriendList",
  "QueryRoomMembers",
  "QueryRoomUserList",
  "QueryUserOnlineState"
]

const writtenByGet = [
  "CallAccept",
  "CallReject",
  "ClearConversationUnread",
  "DeleteAllFriends",
  "DestroyRoom",
  "DismissGroup",
  "KickoutRoomUser",
  "ModifyGroupLimit",
  "MuteGroup",
  "MuteGroupMembers",
  "SetGroupMemberRole",
  "TransferGroupOwner"
]

const readByPost = [
  "CheckFriendsRelation",
  "CheckUsersIsInBlacklist",
  "FetchForbidGroupList",
  "QueryConversationList",
  "QueryGroupInfo",
  "QueryGroupMemberList",
  "QueryGroupMsg",
  "QueryGroupsInfoOfUser",
  "QueryMessagesByMsgSeq",
  "QueryPeerMsg",
  "QueryRoomAttribute",
  "QueryUserInfos"
]

const writtenByPost = [
  "AddFriends",
  "AddUsersToBlacklist",
  "C2cDeliveryReceipt",
  "C2cReadReceipt",
  "CallInvite",
  "ClearMemberGroupMessage",
  "ClearPeerMessage",
  "ConvPinned",
  "CreateGroup",
  "CreateRoom",
  "DeleteConv",
  "DeleteFriends",
  "EditC2cMsgBody",
  "GroupDeliveryReceipt",
  "GroupReadReceipt",
  "ImportGroupMsg",
  "ImportPeerMsg",
  "InviteUsersIntoGroup",
  "KickoutGroupUser",
  "ModifyGroupAttribute",
  "ModifyRoomAttribute",
  "ModifyUserInfo",
  "RemoveUsersFromBlacklist",
  "RevokeGroupMessage",
  "RevokePeerMessage",
  "RevokeRoomMessage",
  "RobotRegister",
  "SendFriendApplication",
  "SendGroupMessage",
  "SendMessageToAllUsers",
  "SendPeerMessage",
  "SendRoomMessage",
  "SetConvMark",
  "SetGroupMembersNickname",
  "SilenceConvNotification",
  "UpdateFriendAttributes",
  "UpdateFriendsAlias",
  "UpdateGroupData",
  "UserRegister"
]

const entries = (actions: ReadonlyArray<string>, method: Method, kind: Documented["kind"]) =>
  actions.map((action): readonly [string, Documented] => [action, { method, kind }])

/**
 * The documented operations, by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const operations: ReadonlyMap<string, Documented> = /* @__PURE__ */ (() =>
  new Map([
    ...entries(readByGet, "GET", "Read"),
    ...entries(writtenByGet, "GET", "Write"),
    ...entries(readByPost, "POST", "Read"),
    ...entries(writtenByPost, "POST", "Write")
  ]))()
