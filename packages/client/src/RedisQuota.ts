/**
 * A quota that several processes keep together over Redis: `RedisQuota` of `@effect-zim/policies`.
 *
 * @since 0.1.0
 */
export * from "@effect-zim/policies/RedisQuota"
