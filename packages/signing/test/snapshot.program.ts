/** Signs once while a snapshot of the heap is made, and twice in each process that starts from it. */
import { SignatureNonce } from "@effect-zim/signing"
import * as Effect from "effect/Effect"
import * as Process from "node:process"
import { startupSnapshot } from "node:v8"

const draw = () => Effect.runSync(SignatureNonce.next)
draw()
startupSnapshot.setDeserializeMainFunction(() => Process.stdout.write(`${draw()} ${draw()} `))
