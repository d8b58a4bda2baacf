/** A process over Redis, wired as the guide says: `redisProcess.ts REDIS fail|share`. */
import * as RedisQuota from "@effect-zim/client/RedisQuota"
import { createClient } from "redis"
import * as QuotaProcess from "./quotaProcess.ts"

const [url = ""] = process.argv.slice(2)

QuotaProcess.run(RedisQuota.layerClient(() => createClient({ url }), QuotaProcess.options))
