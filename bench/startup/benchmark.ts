import type { BenchmarkReport } from '../report.ts';
export function benchStartup(_options: { runs?: number | undefined }): Promise<BenchmarkReport> {
  return Promise.reject(new Error('todo'));
}
