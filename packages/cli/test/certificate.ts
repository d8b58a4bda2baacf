/** Certificates for servers of tests, signed by themselves: Node reads them, but makes none. */
import { generateKeyPairSync, sign, X509Certificate } from "node:crypto"

/** A value of ASN.1: a tag, a length, and what is in it. */
const der = (tag: number, ...parts: ReadonlyArray<Buffer>): Buffer => {
  const content = Buffer.concat(parts)
  const long = content.length > 0xff ? [0x82, content.length >> 8] : content.length > 0x7f ? [0x81] : []
  return Buffer.concat([Buffer.from([tag, ...long, content.length & 0xff]), content])
}

const sequence = (...parts: ReadonlyArray<Buffer>) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"))
const integer = (value: number) => der(0x02, Buffer.from([value]))
const bits = (content: Buffer) => der(0x03, Buffer.from([0]), content)
/** As `YYMMDDhhmmssZ`. */
const time = (date: Date) =>
  der(
    0x17,
    Buffer.from(
      date
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, "")
        .slice(2)
    )
  )

const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"))
const organization = "55040a"
const subjectAltName = "551d11"

export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate for a name or an IPv4 address, and its key. Its issuer has to be another one for each. */
export const make = (options: {
  readonly issuer: string
  readonly host: string
  readonly from: Date
  readonly until: Date
}): Certificate => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const name = sequence(der(0x31, sequence(oid(organization), der(0x0c, Buffer.from(options.issuer)))))
  const bytes = options.host.split(".").map(Number)
  const host = bytes.some(Number.isNaN) ? der(0x82, Buffer.from(options.host)) : der(0x87, Buffer.from(bytes))
  const signed = sequence(
    der(0xa0, integer(2)),
    integer(1),
    ecdsaWithSha256,
    name,
    sequence(time(options.from), time(options.until)),
    name,
    publicKey.export({ format: "der", type: "spki" }),
    der(0xa3, sequence(sequence(oid(subjectAltName), der(0x04, sequence(host)))))
  )
  const certificate = sequence(signed, ecdsaWithSha256, bits(sign("sha256", signed, privateKey)))
  return {
    cert: new X509Certificate(certificate).toString(),
    key: privateKey.export({ format: "pem", type: "pkcs8" }).toString()
  }
}
