// What few loads need of inspect, which is imported late: by name, so that the rest of it is not joined to `load`.
export { openPrograms, TracePipe } from '../../inspect/index.ts';
