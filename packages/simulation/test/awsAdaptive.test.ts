import { assert, describe, it } from "@effect/vitest"
import * as AwsAdaptive from "@effect-zim/simulation/internal/awsAdaptive"

describe("AWS adaptive", () => {
  it("follows the SDK's own limiter", () => {
    let now = 0.4
    const limiter = AwsAdaptive.start(now)
    const rates: Array<string> = []
    for (let call = 1; call <= 60; call++) {
      now += 0.15
      for (let wait = AwsAdaptive.take(limiter, now); wait > 0; wait = AwsAdaptive.take(limiter, now)) {
        now += wait + 0.001
      }
      AwsAdaptive.update(limiter, now, call % 13 === 9)
      if (call % 5 === 0) rates.push(`${now.toFixed(3)} ${limiter.rate.toFixed(4)} ${limiter.measured.toFixed(4)}`)
    }
    // What `DefaultRateLimiter` of @smithy/util-retry 4.6.2 made of the same: the time, its rate, and what it measured.
    assert.deepStrictEqual(rates, [
      "1.150 0.5000 5.1200",
      "1.900 5.7158 7.4240",
      "2.650 7.1584 7.6570",
      "3.400 7.4233 6.3314",
      "4.150 5.3629 7.6133",
      "5.013 6.0500 5.7445",
      "5.837 4.1642 5.9489",
      "6.830 5.8370 5.9980",
      "7.675 5.9517 5.6799",
      "8.625 5.2490 5.9872",
      "9.513 5.9241 4.3995",
      "10.355 5.9964 5.6799"
    ])
  })
})
