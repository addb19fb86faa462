/**
 * Our side of the load benchmark, in a process of its own; it prints what libbpf-load.c does.
 *
 * Usage: our-load.js ITERATIONS [OBJECT]
 */
import { readFileSync } from 'node:fs';
import { Btf } from '../../src/btf/index.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import { mapKernelTypes, systemKernel } from '../../src/sys/index.ts';
import { processorTime, TimedKernel } from './timed-kernel.ts';

/** KiB. Not getrusage(2)'s, which begins with what the parent had. */
function mostMemory(): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

function readKernelTypes(): void {
  const path = '/sys/kernel/btf/vmlinux';
  const pages = mapKernelTypes(path);
  const btf = Btf.parse(pages ?? readFileSync(path), { readOnly: pages !== undefined, checked: true });
  if (btf.find('task_struct', 'struct') === undefined) throw new Error('Cannot find task_struct');
}

const [iterations, object] = process.argv.slice(2);
// Everything is imported and koffi is loaded: what comes on top is the work itself.
const kernel = new TimedKernel(systemKernel());
const before = mostMemory();
for (let index = 0; index < Number(iterations); index++) {
  kernel.reset();
  const [start, cpu] = [process.hrtime.bigint(), processorTime()];
  let collection: Collection | undefined;
  if (object === undefined) readKernelTypes();
  else collection = Collection.load(ObjectFile.open(object), { kernel });
  const ownCpu = processorTime() - cpu - kernel.processor;
  const wall = Number(process.hrtime.bigint() - start) - kernel.nanoseconds;
  console.log(
    JSON.stringify({ wall, cpu: ownCpu, kernel: kernel.nanoseconds, memory: mostMemory() - before }),
  );
  collection?.close();
}
