/** What a {@link RingBufferWorker} runs in its thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { runRingWorker, type RingWorkerSetup } from './worker-loop.ts';

if (parentPort) await runRingWorker(workerData as RingWorkerSetup, parentPort);
