/**
 * The API as a value: the server implements it, and a client is derived from it. The errors of the client have an HTTP
 * status each: 404 for a user who is not registered, 429 where the service was asked too often, 502 to 504 where it is ill
 * or away.
 */
import { Conversations } from "@effect-zim/client"
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"

class Users extends HttpApiGroup.make("users").add(
  HttpApiEndpoint.get("conversations", "/users/:userId/conversations", {
    params: { userId: Schema.String },
    success: Conversations.Snapshot,
    // One by one, since each has a status of its own.
    error: Conversations.ListError.members
  })
) {}

export class Api extends HttpApi.make("chat")
  .add(Users)
  .annotateMerge(OpenApi.annotations({ title: "Chat", version: "1.0.0" })) {}
