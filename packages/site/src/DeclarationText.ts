/**
 * A public name as TypeScript, as short as it can be read: what it is and takes, and the comments of its members.
 */
import * as TypeDoc from "typedoc"

const { ReflectionKind } = TypeDoc

const textOf = (parts: ReadonlyArray<TypeDoc.CommentDisplayPart> | undefined): string =>
  (parts ?? [])
    .map(({ text }) => text)
    .join("")
    .trim()

/** So that a comment of a member is seen whole on a page. */
const width = 80

const wrap = (text: string): ReadonlyArray<string> => {
  const lines = [""]
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? ""
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`
  }
  return lines
}

const commentOf = ({ comment }: TypeDoc.Reflection): string => {
  const text = textOf(comment?.summary).replaceAll("*/", "* /")
  if (text === "") return ""
  const lines = wrap(text)
  return lines.length === 1 ? `/** ${lines[0]} */\n` : `/**\n${lines.map((line) => ` * ${line}\n`).join("")} */\n`
}

const parametersOfTypes = (parameters: ReadonlyArray<TypeDoc.TypeParameterReflection> | undefined): string =>
  parameters === undefined || parameters.length === 0
    ? ""
    : `<${parameters
        .map(({ default: otherwise, name, type }) => {
          const limit = type === undefined ? "" : ` extends ${type.toString()}`
          return `${name}${limit}${otherwise === undefined ? "" : ` = ${otherwise.toString()}`}`
        })
        .join(", ")}>`

const parameter = ({ defaultValue, flags, name, type }: TypeDoc.ParameterReflection): string => {
  const optional = !flags.isRest && (flags.isOptional || defaultValue !== undefined) ? "?" : ""
  return `${flags.isRest ? "..." : ""}${name === "__namedParameters" ? "options" : name}${optional}: ${type?.toString() ?? "unknown"}`
}

const signature = ({ parameters = [], type, typeParameters }: TypeDoc.SignatureReflection, colon = ":"): string =>
  `${parametersOfTypes(typeParameters)}(${parameters.map(parameter).join(", ")})${colon} ${type?.toString() ?? "void"}`

/** Of a type that is a function and nothing else. */
const signaturesOf = (type: TypeDoc.SomeType | undefined): ReadonlyArray<TypeDoc.SignatureReflection> =>
  type instanceof TypeDoc.ReflectionType && type.declaration.children === undefined
    ? (type.declaration.signatures ?? [])
    : []

const propertyName = (name: string): string =>
  /^[\w$]+$/.test(name) || name.startsWith("[") ? name : JSON.stringify(name)

const member = (reflection: TypeDoc.DeclarationReflection): string => {
  const { flags, getSignature, name, signatures, type } = reflection
  const property = propertyName(name)
  if (signatures !== undefined) {
    return signatures
      .map((one) => `${commentOf(one)}${property}${flags.isOptional ? "?" : ""}${signature(one)}`)
      .join("\n")
  }
  if (getSignature !== undefined) {
    return `${commentOf(getSignature)}get ${property}(): ${getSignature.type?.toString() ?? "unknown"}`
  }
  const [shape, ...others] = signaturesOf(type)
  const comment = commentOf(reflection) || commentOf(shape ?? reflection)
  const before = flags.isReadonly ? "readonly " : ""
  const value = shape === undefined || others.length > 0 ? (type?.toString() ?? "unknown") : signature(shape, " =>")
  return `${comment}${before}${property}${flags.isOptional ? "?" : ""}: ${value}`
}

const members = ({ children = [], indexSignatures = [], signatures = [] }: TypeDoc.DeclarationReflection): string =>
  [
    ...signatures.map((one) => signature(one)),
    ...indexSignatures.map(
      (one) => `[${(one.parameters ?? []).map(parameter).join(", ")}]: ${one.type?.toString() ?? "unknown"}`
    ),
    ...children.filter(({ flags, kind }) => kind !== ReflectionKind.Constructor && !flags.isExternal).map(member)
  ].join("\n")

const shapeOf = (type: TypeDoc.SomeType | undefined): TypeDoc.DeclarationReflection | undefined =>
  type instanceof TypeDoc.ReflectionType && type.declaration.signatures === undefined ? type.declaration : undefined

/** A service is a class whose instances say nothing; what it does is the second argument of what it extends. */
const serviceOf = ({ extendedTypes, name }: TypeDoc.DeclarationReflection): string | undefined => {
  const [base] = extendedTypes ?? []
  if (!(base instanceof TypeDoc.ReferenceType) || !base.qualifiedName.startsWith("ServiceClass")) return undefined
  const type = base.typeArguments?.[1]
  const shape = shapeOf(type)
  return `class ${name} extends Context.Service<${name}, ${shape === undefined ? (type?.toString() ?? "unknown") : `{\n${members(shape)}\n}`}> {}`
}

/** What a class that is made by a call extends, a schema's for one, has no name. */
const named = (types: ReadonlyArray<TypeDoc.SomeType> = []): string => {
  const names = types.map((type) => type.toString())
  if (names.some((name) => name.includes("YieldableError"))) return " extends YieldableError"
  return names.length === 0 || names.some((name) => /[({"]/.test(name)) ? "" : ` extends ${names.join(", ")}`
}

const text = (reflection: TypeDoc.DeclarationReflection): string => {
  const { extendedTypes, kind, name, type, typeParameters } = reflection
  const head = `${name}${parametersOfTypes(typeParameters)}`
  const signatures = reflection.signatures ?? (kind === ReflectionKind.Variable ? signaturesOf(type) : [])
  if (signatures.length > 0) return signatures.map((one) => `function ${name}${signature(one)}`).join("\n")
  if (kind === ReflectionKind.Class) {
    return serviceOf(reflection) ?? `class ${head}${named(extendedTypes)} {\n${members(reflection)}\n}`
  }
  if (kind === ReflectionKind.Interface) return `interface ${head}${named(extendedTypes)} {\n${members(reflection)}\n}`
  const shape = shapeOf(type)
  const value = shape === undefined ? (type?.toString() ?? "unknown") : `{\n${members(shape)}\n}`
  return kind === ReflectionKind.TypeAlias ? `type ${head} = ${value}` : `const ${name}: ${value}`
}

/** The brands of this repository by the names of their types. */
const branded = /\b(?:string|number|bigint) & Brand<"@effect-zim\/\w+\/(\w+)">/g

/**
 * The declarations of one name, a schema and its type for example. They are not what TypeScript would take: a formatter
 * takes them with `declare` before each, which is left to it.
 */
export const print = (declarations: ReadonlyArray<TypeDoc.DeclarationReflection>): string =>
  declarations
    .map(
      (one, i) =>
        `${i === 0 ? "" : commentOf(one)}declare ${text(one).replaceAll(branded, "$1").replaceAll("\nfunction ", "\ndeclare function ")}`
    )
    .join("\n\n")

const isReflection = (value: unknown): value is TypeDoc.DeclarationReflection =>
  value instanceof TypeDoc.DeclarationReflection

/** Each reference in a type, those of its parts and of what is declared in it too. */
const visit = (type: TypeDoc.SomeType | undefined, see: (reference: TypeDoc.ReferenceType) => void): void => {
  const deeper = (type: TypeDoc.SomeType | undefined) => visit(type, see)
  const signatureTypes = (signature: TypeDoc.SignatureReflection) => {
    for (const { type } of signature.parameters ?? []) deeper(type)
    deeper(signature.type)
  }
  const declaration = (reflection: TypeDoc.DeclarationReflection): void => {
    for (const one of reflection.signatures ?? []) signatureTypes(one)
    for (const child of reflection.children ?? []) declaration(child)
    deeper(reflection.type)
  }
  type?.visit({
    array: ({ elementType }) => deeper(elementType),
    conditional: (one) => [one.checkType, one.extendsType, one.trueType, one.falseType].forEach(deeper),
    indexedAccess: ({ indexType, objectType }) => [objectType, indexType].forEach(deeper),
    intersection: ({ types }) => types.forEach(deeper),
    mapped: ({ parameterType, templateType }) => [parameterType, templateType].forEach(deeper),
    optional: ({ elementType }) => deeper(elementType),
    predicate: ({ targetType }) => deeper(targetType),
    query: ({ queryType }) => deeper(queryType),
    reference: (reference) => {
      see(reference)
      reference.typeArguments?.forEach(deeper)
    },
    reflection: ({ declaration: one }) => declaration(one),
    rest: ({ elementType }) => deeper(elementType),
    tuple: ({ elements }) => elements.forEach(deeper),
    namedTupleMember: ({ element }) => deeper(element),
    typeOperator: ({ target }) => deeper(target),
    union: ({ types }) => types.forEach(deeper)
  })
}

const typesOf = (reflection: TypeDoc.DeclarationReflection): ReadonlyArray<TypeDoc.SomeType> => {
  const signatures = (reflection.signatures ?? []).flatMap((one) => [
    ...(one.typeParameters ?? []).map(({ type }) => type),
    ...(one.parameters ?? []).map(({ type }) => type),
    one.type
  ])
  const children = (reflection.children ?? [])
    .filter(({ kind }) => kind !== ReflectionKind.Constructor)
    .flatMap((child) => [...typesOf(child), child.getSignature?.type])
  const all = [...signatures, reflection.type, ...(reflection.extendedTypes ?? []), ...children]
  return all.filter((type) => type !== undefined)
}

/** The declarations of this repository that it speaks of, each once. */
export const mentions = (reflection: TypeDoc.DeclarationReflection): ReadonlyArray<TypeDoc.DeclarationReflection> => {
  const found = new Set<TypeDoc.DeclarationReflection>()
  for (const type of typesOf(reflection)) {
    visit(type, ({ reflection: target }) => {
      if (isReflection(target)) found.add(target)
    })
  }
  return [...found]
}

/** Where the type of what it fails with stands among the arguments. */
const positionOfError: Readonly<Record<string, number>> = {
  Effect: 1,
  Stream: 1,
  Layer: 1,
  Result: 1,
  Exit: 1,
  Sink: 3
}

const parts = (type: TypeDoc.SomeType): ReadonlyArray<TypeDoc.SomeType> =>
  type instanceof TypeDoc.UnionType ? type.types.flatMap(parts) : [type]

/** What the effects, streams and layers that it gives can fail with, as types. */
export const failures = (reflection: TypeDoc.DeclarationReflection): ReadonlyArray<TypeDoc.SomeType> => {
  const signatures = reflection.signatures ?? signaturesOf(reflection.type)
  const types = signatures.length > 0 ? signatures.map(({ type }) => type) : [reflection.type]
  const found = types.flatMap((type) => {
    if (!(type instanceof TypeDoc.ReferenceType)) return []
    const error = type.typeArguments?.[positionOfError[type.name] ?? -1]
    return error === undefined || error.toString() === "never" ? [] : parts(error)
  })
  return [...new Map(found.map((type) => [type.toString(), type])).values()]
}
