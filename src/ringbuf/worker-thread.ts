/** What a {@link RingBufferWorker} runs in its thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { runRingWorker, type RingWorkerNote, type RingWorkerSetup } from './worker-loop.ts';

if (parentPort) {
  await runRingWorker(workerData as RingWorkerSetup, parentPort);
  // Behind every message. A timer or a socket of the handler's would keep the thread, so the other side ends it.
  parentPort.postMessage({ ended: true } satisfies RingWorkerNote);
}
