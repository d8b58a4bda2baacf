import * as Net from "node:net"

const loopback = new Net.BlockList()
loopback.addSubnet("127.0.0.0", 8, "ipv4")
loopback.addAddress("::1", "ipv6")

/** Whether an address is in a list; an IPv4 address may come as IPv6 (`::ffff:127.0.0.1`). */
export const contains = (list: Net.BlockList, address: string): boolean =>
  list.check(address, Net.isIPv6(address) ? "ipv6" : "ipv4")

/** Whether this machine alone can reach an address or a name. */
export const isLoopback = (host: string): boolean => host === "localhost" || contains(loopback, host)
