export { TracePipe } from './trace-pipe.ts';
