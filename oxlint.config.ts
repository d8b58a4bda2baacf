/**
 * The rules of `npm run lint`.
 */
import { defineConfig } from "oxlint"

/**
 * What the sources of each package import of the others: arrows point one way, from the end of this list to its
 * beginning. Those that run on Bun, Deno and edge runtimes too have no import of Node's.
 */
const packages = {
  signing: { imports: [], anywhere: true },
  protocol: { imports: [], anywhere: true },
  policies: { imports: [], anywhere: true },
  node: { imports: [], anywhere: false },
  client: { imports: ["signing", "protocol", "policies"], anywhere: true },
  emulator: { imports: ["signing", "protocol"], anywhere: false },
  export: { imports: ["protocol", "client"], anywhere: false },
  durable: { imports: ["protocol", "client", "export"], anywhere: false },
  testing: { imports: ["signing", "protocol", "client", "emulator"], anywhere: false },
  simulation: { imports: ["policies"], anywhere: false },
  cli: { imports: ["signing", "protocol", "node", "client", "emulator", "export", "durable"], anywhere: false },
  site: { imports: [], anywhere: false },
  benchmarks: {
    imports: [
      "signing",
      "protocol",
      "policies",
      "node",
      "client",
      "emulator",
      "export",
      "durable",
      "testing",
      "simulation",
      "cli"
    ],
    anywhere: false
  }
}

const barrels = [
  { name: "effect", message: 'Import the module, e.g. "effect/Effect": the barrel costs a user 240 ms at start.' },
  {
    name: "@effect/platform-node",
    message: 'Import the module, e.g. "@effect/platform-node/NodeHttpClient".'
  }
]

const importsOf = Object.entries(packages).map(([name, { anywhere, imports }]) => ({
  files: [`packages/${name}/src/**`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        paths: barrels,
        patterns: [
          {
            group: ["@effect-zim/**", ...imports.flatMap((one) => [`!@effect-zim/${one}`, `!@effect-zim/${one}/**`])],
            message: `packages/${name} imports of the others: ${imports.join(", ") || "none"}. CONTRIBUTING.md has the order.`
          },
          ...(anywhere
            ? [
                {
                  group: ["node:*", "@effect/platform-*", "@effect/platform-*/**"],
                  message: "This package has no Node-only import."
                }
              ]
            : [])
        ]
      }
    ]
  }
}))

export default defineConfig({
  plugins: ["eslint", "typescript", "import", "unicorn", "oxc", "promise", "vitest"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
  env: { builtin: true, es2024: true, node: true },
  ignorePatterns: ["**/dist", ".tsbuild", ".docs-examples", "**/.content"],
  rules: {
    // Types are never silenced; `as const` is fine.
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/ban-ts-comment": "error",
    "typescript/consistent-type-assertions": ["error", { assertionStyle: "never" }],
    "typescript/no-unsafe-argument": "error",
    "typescript/no-unsafe-assignment": "error",
    "typescript/no-unsafe-call": "error",
    "typescript/no-unsafe-member-access": "error",
    "typescript/no-unsafe-return": "error",
    "typescript/no-unsafe-function-type": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    "typescript/no-deprecated": "error",

    // Nothing asynchronous is dropped.
    "typescript/no-misused-promises": "error",
    "typescript/only-throw-error": "error",

    // Modules.
    "typescript/consistent-type-imports": ["error", { prefer: "type-imports", fixStyle: "separate-type-imports" }],
    "typescript/no-import-type-side-effects": "error",
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "import/no-duplicates": "error",
    "import/no-default-export": "error",
    "unicorn/prefer-node-protocol": "error",

    // Plain code.
    eqeqeq: "error",
    "no-var": "error",
    "prefer-const": "error",
    "no-param-reassign": "error",
    "no-new-func": "error",
    "typescript/array-type": ["error", { default: "generic" }],

    // Tests. `it.effect.skip` and its kin are found by the unit step of scripts/check.ts.
    "vitest/no-identical-title": "error",

    // TypeScript knows better: oxlint follows package imports to `dist`, which may be old or not there.
    "import/default": "off",
    "import/namespace": "off",

    // What Effect code does on purpose.
    "require-yield": "off",
    "no-shadow": "off",
    "oxc/no-map-spread": "off",
    "no-underscore-dangle": "off",
    "typescript/consistent-return": "off",
    "typescript/no-extraneous-class": "off",
    "typescript/no-unnecessary-type-arguments": "off",
    "typescript/unbound-method": "off",
    // It takes `Effect.catch` for a promise's.
    "promise/valid-params": "off",
    "unicorn/consistent-function-scoping": "off"
  },
  overrides: [
    {
      files: ["packages/*/src/**"],
      rules: { "no-console": "error", "typescript/ban-ts-comment": ["error", { "ts-expect-error": true }] }
    },
    {
      // A function that is longer has parts with names of their own.
      files: ["packages/*/src/**"],
      rules: { "max-lines-per-function": ["error", { max: 80, skipComments: true, skipBlankLines: true }] }
    },
    ...importsOf,
    {
      // A browser's page in JavaScript: tsc checks it by its JSDoc, with the types of the API that it asks.
      files: ["packages/emulator/src/inspector/*.js"],
      env: { browser: true, node: false },
      rules: { "typescript/no-unsafe-assignment": "off", "typescript/no-unsafe-return": "off" }
    },
    {
      // JavaScript that VitePress reads; its types do not compile here.
      files: ["packages/site/.vitepress/**/*.js"],
      rules: {
        "import/no-unassigned-import": "off",
        "typescript/no-unsafe-argument": "off",
        "typescript/no-unsafe-assignment": "off",
        "typescript/no-unsafe-call": "off",
        "typescript/no-unsafe-member-access": "off",
        "typescript/no-unsafe-return": "off"
      }
    },
    {
      files: ["packages/*/test/**"],
      // Tests hand over what the types forbid, and look at values that have no type.
      rules: {
        "typescript/consistent-type-assertions": "off",
        "typescript/no-base-to-string": "off",
        "typescript/no-misused-spread": "off",
        "typescript/no-unsafe-argument": "off",
        "typescript/no-unsafe-assignment": "off",
        "typescript/no-unsafe-call": "off",
        "typescript/no-unsafe-member-access": "off",
        "typescript/no-unsafe-return": "off"
      }
    },
    {
      files: [
        "*.workspace.ts",
        "examples/cloudflare-worker/src/worker.ts",
        "*.config.ts",
        "packages/site/.vitepress/*.js",
        "packages/site/.vitepress/theme/*.js"
      ],
      rules: { "import/no-default-export": "off" }
    }
  ]
})
