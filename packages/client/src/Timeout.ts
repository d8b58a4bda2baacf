/**
 * How long an attempt and a whole call may take: `Timeout` of `@effect-zim/policies`.
 *
 * @since 0.1.0
 */
export * from "@effect-zim/policies/Timeout"
