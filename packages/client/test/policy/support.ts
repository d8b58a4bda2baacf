/** What the tests of the policies share. */
import { CircuitBreaker, Quota, RetryBudget, ZimClient } from "@effect-zim/client"
import { QueryConversationList } from "@effect-zim/protocol"
import * as Layer from "effect/Layer"
import * as FakeService from "../fakeService.ts"

export const { operation } = QueryConversationList

/** One call. */
export const read = ZimClient.execute(operation, { userId: "user-42" })

export const page = FakeService.page([FakeService.entry("a", 1)])

export const html = (status: number) => FakeService.text(`<h1>${status}</h1>`, { status, contentType: "text/html" })

export const reset: FakeService.Answer = (sent) => FakeService.transportError(sent)

/** A client of the service, with policies that the test can look at too. */
export const layer = <Policies, Error, Needs>(
  service: FakeService.FakeService,
  policies: Layer.Layer<Policies, Error, Needs>
) => FakeService.clientOf(service.layer).pipe(Layer.provideMerge(policies))

/** A quota that nobody has to wait for. */
export const noQuota = Quota.layer({ limit: 1_000_000, window: "1 milli" })

/** Only what the test is about holds calls back. */
export const onlyRetries = (options?: RetryBudget.Options) =>
  Layer.mergeAll(noQuota, CircuitBreaker.layerNone, RetryBudget.layer(options))

/** When the requests were sent, in milliseconds after the first. */
export const times = (service: FakeService.FakeService): ReadonlyArray<number> =>
  service.sent.map((sent) => sent.time - (service.sent[0]?.time ?? 0))
