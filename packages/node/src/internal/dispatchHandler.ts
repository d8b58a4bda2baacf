/** One request on undici's dispatcher, and what has arrived of its answer. */
import { constVoid } from "effect/Function"
import type { Readable } from "node:stream"
import type { Dispatcher } from "undici"

/** How much of a body waits for its reader before the socket is told to. */
const highWaterMark = 64 * 1024

type ResponseHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2]

/**
 * undici calls it from inside its parser. Whoever waits is called in a microtask: after the parser has gone through all
 * that was received, so that head and body of a small answer are there at once, and the connection is free again.
 */
export class DispatchHandler implements Dispatcher.DispatchHandler {
  status = 0
  headers: ResponseHeaders = {}
  /** All of the body was received. */
  isComplete = false
  /** Why there will be no more. */
  failure: { readonly cause: unknown } | undefined

  readonly #upload: Readable | undefined
  #chunks: Array<Uint8Array> = []
  #size = 0
  #isUnbounded = false
  #controller: Dispatcher.DispatchController | undefined
  #abortedEarly: Error | undefined
  #waiting: Array<() => void> = []
  #isWaking = false

  constructor(upload: Readable | undefined) {
    // Its errors come as those of the request; nobody else listens to a stream that ends early.
    this.#upload = upload?.on("error", constVoid)
  }

  /** Calls back once, at the next change. */
  onChange(callback: () => void): void {
    this.#waiting.push(callback)
  }

  /** Nothing will change any more. */
  get isOver(): boolean {
    return this.isComplete || this.failure !== undefined
  }

  /** There is something for a reader: the end, or, where it takes the body bit by bit, a bit. */
  get isReady(): boolean {
    return this.isOver || (!this.#isUnbounded && this.#size > 0)
  }

  /** Closes the connection, unless the answer is complete: then it stays for the next request. */
  abort(): void {
    if (this.isOver) return
    const reason = new Error("The request was interrupted")
    if (this.#controller === undefined) this.#abortedEarly = reason
    else this.#controller.abort(reason)
  }

  /** Lets all of the body come. */
  takeAll(): void {
    this.#isUnbounded = true
    this.#controller?.resume()
  }

  /** What has come of the body since the last time; then more may come. */
  take(): ReadonlyArray<Uint8Array> {
    const chunks = this.#chunks
    this.#chunks = []
    this.#size = 0
    this.#controller?.resume()
    return chunks
  }

  fail(cause: unknown): void {
    if (this.isOver) return
    this.failure = { cause }
    this.#upload?.destroy()
    this.#wake()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#abortedEarly !== undefined) controller.abort(this.#abortedEarly)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    // 1xx: the answer is still to come.
    if (status < 200) return
    this.status = status
    this.headers = headers
    this.#wake()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#size += chunk.byteLength
    if (!this.#isUnbounded && this.#size >= highWaterMark) controller.pause()
    this.#wake()
  }

  onResponseEnd(): void {
    this.isComplete = true
    this.#wake()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }

  #wake(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    queueMicrotask(() => {
      this.#isWaking = false
      const waiting = this.#waiting
      this.#waiting = []
      for (const callback of waiting) callback()
    })
  }
}
