/**
 * What nobody may exceed without a reason: counts, so that no noise trips them. Each is what was counted when it was last
 * set, and where many small parts add up, a little room for a change that is no regression. Lower them when something gets
 * better; raise one only with the reason in the commit.
 */
export const limits = {
  /** Bytes, minified and gzipped, everything inside: `src/Bundle.ts` has the programs. */
  bundle: {
    "signing one request": 12_000,
    "all of protocol": 37_050,
    "minimal client": 70_000
  },

  /** Modules that Node loads for one import, Effect's included. */
  modules: {
    signing: 147,
    protocol: 158,
    client: 236,
    node: 178,
    export: 261,
    emulator: 238,
    testing: 303
  },

  /**
   * What is done over HTTP that answers at once. `steps` are primitives that Effect's interpreter evaluates, `bytes` are
   * allocated without the optimizing compilers; of those, `left` are left by collections of the young generation. Fibers
   * and promises come with a fraction: the program around them.
   */
  counts: {
    untracedCall: {
      requests: 1,
      permits: 1,
      spans: 0,
      steps: 82.2,
      fibers: 3.1,
      timers: 0,
      promises: 8.1,
      bytes: 61_100,
      left: 400
    },
    tracedCall: { requests: 1, permits: 1, spans: 2, steps: 80.2, fibers: 3.1, timers: 0, promises: 8.1 },
    /** Two pages. */
    listOf1000: { requests: 2, permits: 2, spans: 4, steps: 180.2, fibers: 6.1, timers: 0, promises: 16.1 },
    /** Bytes allocated to read one page, in parts of what `JSON.parse` alone allocates. */
    pageOf500: { timesJsonParse: 2.1 }
  }
}
