/** The time as the policies count it, and whose the timers are. */
import type * as Clock from "effect/Clock"

/** Milliseconds of the monotonic clock: setting the machine's clock changes nothing. */
export const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/**
 * In workerd, a timer ends with the request that set it, what one request resumes runs as part of it, and a request that
 * is cancelled ends without a word. So callers there wake nobody: each looks again by a timer of its own.
 */
export const isOnItsOwn: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers"
