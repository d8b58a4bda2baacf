/**
 * A quota that several processes keep together over PostgreSQL: `SqlQuota` of `@effect-zim/policies`.
 *
 * @since 0.1.0
 */
export * from "@effect-zim/policies/SqlQuota"
