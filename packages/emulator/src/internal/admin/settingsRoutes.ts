import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AdminApi from "../../AdminApi.ts"
import { Emulator, type Snapshot } from "../../Emulator.ts"
import * as Fault from "../../Fault.ts"
import * as FaultJson from "../../FaultJson.ts"
import * as ServiceQuota from "../../ServiceQuota.ts"

const settings = HttpApiBuilder.group(
  AdminApi.AdminApi,
  "settings",
  Effect.fnUntraced(function* (handlers) {
    const { clock, gauges, quota, reading } = yield* Emulator
    const quotaView = Effect.map(Effect.all([quota.get, gauges]), ([current, shown]) => ({
      quota: current,
      description: ServiceQuota.describe(current),
      gauges: shown.map((gauge) => ({
        ...gauge,
        action: gauge.action ?? null,
        description: ServiceQuota.describe(gauge.quota),
        available: Number.isFinite(gauge.available) ? gauge.available : null,
        wait: gauge.wait ?? null
      }))
    }))
    const clockView = Effect.all({ clock: clock.get, shown: clock.now, real: Clock.currentTimeMillis })
    return handlers.handleAll({
      getQuota: () => quotaView,
      putQuota: ({ payload }) => Effect.andThen(quota.set(payload), quotaView),
      getClock: () => clockView,
      putClock: ({ payload }) => Effect.andThen(clock.set(payload), clockView),
      stepClock: ({ payload }) => Effect.andThen(clock.step(payload.by), clockView),
      getReading: () => reading.get,
      putReading: ({ payload }) => Effect.as(reading.set(payload), payload)
    })
  })
)

const faults = HttpApiBuilder.group(
  AdminApi.AdminApi,
  "faults",
  Effect.fnUntraced(function* (handlers) {
    const { faults } = yield* Emulator
    const ids = new WeakMap<Fault.Fault, string>()
    let named = 0
    const idOf = (fault: Fault.Fault): string => {
      const id = ids.get(fault) ?? String(++named)
      ids.set(fault, id)
      return id
    }
    const view = Effect.map(faults.get, (set) =>
      set.map((fault) => ({
        id: idOf(fault),
        description: Fault.describe(fault),
        json: Option.getOrNull(FaultJson.toSpec(fault))
      }))
    )
    return handlers.handleAll({
      getFaults: () => view,
      putFaults: ({ payload }) => Effect.andThen(faults.set(payload.map(FaultJson.fromSpec)), view),
      addFault: ({ payload }) =>
        Effect.andThen(
          faults.update((before) => [...before, ...[payload].flat().map(FaultJson.fromSpec)]),
          view
        ),
      deleteFaults: () => faults.set([]),
      deleteFault: Effect.fnUntraced(function* ({ params: { id } }) {
        const gone = (yield* faults.get).find((fault) => idOf(fault) === id)
        if (gone === undefined) return yield* new AdminApi.AdminNotFound({ problem: `there is no fault ${id}` })
        yield* faults.update((before) => before.toSpliced(before.indexOf(gone), 1))
        return yield* view
      })
    })
  })
)

const changes = HttpApiBuilder.group(
  AdminApi.AdminApi,
  "changes",
  Effect.fnUntraced(function* (handlers) {
    const { change } = yield* Emulator
    return handlers.handleAll({
      message: ({ payload }) => change({ type: "message", ...payload }),
      createGroup: ({ payload }) => change({ type: "createGroup", ...payload }),
      disband: ({ payload }) => change({ type: "disband", ...payload }),
      register: ({ payload }) => change({ type: "register", ...payload }),
      kick: ({ payload }) => change({ type: "kick", ...payload }),
      change: ({ payload }) => change(payload)
    })
  })
)

const snapshots = HttpApiBuilder.group(
  AdminApi.AdminApi,
  "snapshots",
  Effect.fnUntraced(function* (handlers) {
    const emulator = yield* Emulator
    const kept = new Map<string, Snapshot>()
    const freeName = (): string => {
      let number = kept.size + 1
      while (kept.has(`snapshot-${number}`)) number++
      return `snapshot-${number}`
    }
    return handlers.handleAll({
      listSnapshots: () => Effect.sync(() => [...kept.keys()]),
      snapshot: ({ payload }) =>
        Effect.map(emulator.snapshot, (snapshot) => {
          const name = payload.name ?? freeName()
          kept.set(name, snapshot)
          return { name }
        }),
      restore: ({ payload }) =>
        Effect.suspend(() => {
          const snapshot = kept.get(payload.name)
          return snapshot === undefined
            ? Effect.fail(new AdminApi.AdminNotFound({ problem: `there is no snapshot ${payload.name}` }))
            : emulator.restore(snapshot)
        }),
      reset: () => emulator.reset
    })
  })
)

export const layer = Layer.mergeAll(settings, faults, changes, snapshots)
