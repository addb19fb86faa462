/** The process that one job runs in: `worker-main JOB`. */
import { runJob, type Job } from './worker.ts';

const [job] = process.argv.slice(2);
if (job === undefined) throw new Error('Usage: worker-main JOB');
process.stdout.write(`${JSON.stringify(runJob(JSON.parse(job) as Job))}\n`);
