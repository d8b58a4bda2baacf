/**
 * The services of this package, which end in time and take nothing from the context: nobody has to watch them. A list of
 * objects, and no mark on them: what is made from one by spreading it is somebody else's.
 */
const known = /* @__PURE__ */ new WeakSet()

export const add = <Service extends object>(service: Service): Service => {
  known.add(service)
  return service
}

export const has = (service: object): boolean => known.has(service)
