/**
 * The scripts that keep the leases of a shared quota in Redis. Each runs as one step, and by the server's own clock.
 *
 * `KEYS[1]` is a sorted set: the leases, each with the time when its permit comes back, in milliseconds. The name of a
 * lease ends in how much sooner it may come back to a process that says the same of itself. A member without a name
 * tells a set that is empty from one that was lost. `KEYS[2]` is a hash: what else all processes need to know.
 */
import * as Redis from "effect/persistence/Redis"
import { allowanceWindows } from "./memoryStore.ts"
import type { Ask, Pause, Return } from "./store.ts"

/** How long both are kept after the last time that somebody asked for them, in milliseconds; longer during a pause. */
const keep = 20 * 60_000

/** The time never goes back, as far as anybody sees: where the server's clock was set back, it stands still. */
const start = `
local leases, state = KEYS[1], KEYS[2]
local limit, window, grace = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call("TIME")
local clock = time[1] * 1000 + time[2] / 1000
local known = redis.call(
  "HMGET", state, "now", "pausedUntil", "lastGrant", "rejectedAt", "rejectedSpacing",
  "smallest", "smallestBefore", "smallestFrom", "host"
)
local function field(i, default) return tonumber(known[i]) or default end
local now = math.max(clock, field(1, clock))
local pausedUntil = field(2, 0)
`

const end = `
redis.call("HSET", state, "now", now, "pausedUntil", pausedUntil)
local keep = math.ceil(math.max(${keep}, pausedUntil - now))
redis.call("PEXPIRE", leases, keep)
redis.call("PEXPIRE", state, keep)
`

/** A script, and what it is given: its two keys, a lease, the limits, and the parameters of its own. */
const script = <Said extends Pick<Ask, "key" | "limits"> & Partial<Pick<Ask, "lease">>>(
  body: string,
  parametersOf: (said: Said) => ReadonlyArray<number | string>
) =>
  Redis.script(
    (prefix: string, said: Said) => {
      // The braces put both on the same node of a cluster.
      const keys = [`${prefix}:{${said.key}}:leases`, `${prefix}:{${said.key}}:state`]
      const { grace, limit, window } = said.limits
      return [...keys, said.lease ?? "", limit, window, grace, ...parametersOf(said)]
    },
    { numberOfKeys: 2, lua: `${start}${body}` }
  )

/**
 * Takes a lease, or says how long to wait. What a store lost, because it was restarted or emptied, may still be
 * under way or counted: then it waits until that is over. Answers with the wait, 0 where a lease was taken.
 */
export const acquire = script(
  `
local lease, hold, allowance, spacing = ARGV[1], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local isKnown, host = ARGV[8] == "1", ARGV[9]

if now - clock > window + grace then
  redis.call("DEL", leases, state)
  known, now, pausedUntil, isKnown = {}, clock, 0, true
end
if not redis.call("ZSCORE", leases, "") then
  redis.call("ZADD", leases, "+inf", "")
  local lostAt = isKnown and now or 0
  local info = redis.pcall("INFO", "server")
  local uptime = type(info) == "string" and string.match(info, "uptime_in_seconds:(%d+)")
  if uptime then lostAt = math.max(lostAt, now - uptime * 1000) end
  pausedUntil = math.max(pausedUntil, lostAt + window + grace)
end

-- The allowance for everybody: \`#allowanceOf\` of the store in memory has the reason.
if host ~= (known[9] or "") then allowance = 0 end
local smallest, smallestBefore, smallestFrom = field(6, 0), field(7, 0), field(8, 0)
if now - smallestFrom > ${allowanceWindows} * window then
  smallestBefore, smallest, smallestFrom = smallest, allowance, now
else
  smallest = math.min(smallest, allowance)
end
redis.call("HSET", state, "smallest", smallest, "smallestBefore", smallestBefore, "smallestFrom", smallestFrom, "host", host)
allowance = math.min(smallest, smallestBefore)

redis.call("ZREMRANGEBYSCORE", leases, "-inf", now)
local wait = math.max(pausedUntil, field(3, 0) + spacing) - now
local out = redis.call("ZCARD", leases) - 1
if out >= limit then
  -- Of those that come back later than this, none comes back sooner than the one that is waited for.
  local latest = redis.call("ZRANGE", leases, out - limit, out - limit, "WITHSCORES")[2] + allowance
  local rows = redis.call("ZRANGEBYSCORE", leases, "-inf", latest, "WITHSCORES")
  local backs = {}
  for i = 1, #rows, 2 do
    backs[#backs + 1] = rows[i + 1] - math.min(allowance, tonumber(string.match(rows[i], "%d+$")))
  end
  table.sort(backs)
  local soonest = math.max(window - allowance, window / limit)
  wait = math.max(wait, math.min(backs[out - limit + 1] - now, soonest))
end
if wait <= 0 then
  redis.call("ZADD", leases, now + hold, lease .. ":0")
  redis.call("HSET", state, "lastGrant", now)
end
${end}
local function exactly(number) return string.format("%.17g", number) end
return {math.max(0, math.ceil(wait)), exactly(now), exactly(field(4, -1)), exactly(field(5, 0))}
`,
  ({ allowance, hold, host = "", isKnown, spacing }: Ask) => {
    return [hold, Math.floor(allowance), spacing, isKnown ? 1 : 0, host]
  }
).withReturnType<unknown>()

/** Ends a lease: removes it, or sets the time when its permit comes back. */
export const release = script(
  `
local lease, allowance, rejectedSpacing = ARGV[1], ARGV[7], ARGV[9]
local ago, delay, grantedAt = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[8])

redis.call("ZREM", leases, lease .. ":0")
if delay then redis.call("ZADD", leases, now - ago + delay, lease .. ":" .. allowance) end
if grantedAt then
  pausedUntil = math.max(pausedUntil, now + window)
  if grantedAt > field(4, -1) then
    redis.call("HSET", state, "rejectedAt", now, "rejectedSpacing", rejectedSpacing)
  end
end
${end}`,
  ({ ago, allowance, delay, rejected }: Return) => {
    return [ago, delay ?? "", Math.floor(allowance), rejected?.grantedAt ?? "", rejected?.spacing ?? ""]
  }
)

/** Gives nobody a lease for a while. */
export const pause = script(
  `
pausedUntil = math.max(pausedUntil, now + ARGV[5])
${end}`,
  ({ millis }: Pause) => [millis]
)
