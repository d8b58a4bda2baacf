/**
 * The app's share of the service's calls: `Quota` of `@effect-zim/policies`.
 *
 * @since 0.1.0
 */
export * from "@effect-zim/policies/Quota"
