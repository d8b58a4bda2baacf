import { processLaws } from "./processLaws.ts"
import * as RedisServer from "./redisServer.ts"

processLaws({ name: "Redis", script: "redisProcess.ts", server: RedisServer.make() })
