/**
 * Runs inside a guest, copied there with this folder: asks a loader about objects and leaves its answers in a file.
 *
 *     node main.js PLAN
 *
 * What has been answered is on the disk before the next batch starts: an object may end the guest.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { askLoader } from './ask.ts';

export interface GuestPlan {
  readonly loaders: readonly {
    readonly name: string;
    readonly command: readonly string[];
    readonly objects: readonly string[];
    /** Gets an {@link Answer} as JSON in each line. */
    readonly answers: string;
  }[];
  readonly batchSize: number;
  readonly patienceSeconds: number;
}

const [planPath = ''] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planPath, 'utf8')) as GuestPlan;
for (const { name, command, objects, answers } of plan.loaders) {
  const file = openSync(answers, 'a');
  let count = 0;
  await askLoader({
    command,
    objects,
    batchSize: plan.batchSize,
    patienceSeconds: plan.patienceSeconds,
    onAnswer: (answer) => {
      writeSync(file, `${JSON.stringify(answer)}\n`);
      fsyncSync(file);
      count++;
      console.log(`${name} ${String(count)}/${String(objects.length)} ${answer.object}`);
    },
  });
  closeSync(file);
}
