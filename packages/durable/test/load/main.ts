/** `npm run test:durable -- pace` or `million`: what workers make of the quota, and of a million users. */
const [name = ""] = process.argv.slice(2)
if (name === "pace") await import("./pace.ts")
else if (name === "million") await import("./million.ts")
else {
  process.stderr.write("npm run test:durable -- pace | million\n")
  process.exitCode = 2
}
