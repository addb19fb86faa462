import { join } from 'node:path';
import { buildBpf } from '../compile-bpf.ts';
import { compileWithLibbpf } from '../compile-c.ts';
import { compileWithCilium } from '../peers/compile-go.ts';
import { compileWithAya } from '../peers/compile-rust.ts';
import { projectRoot } from '../project-root.ts';
import type { BenchmarkReport, BenchmarkResult } from '../report.ts';
import { median, round } from '../statistics.ts';
import { checkAnswers } from './check-answers.ts';
import { ReaderProcess, type ReaderAnswer } from './reader-process.ts';

/** 25,000 records of 576 bytes with header and padding: 14.4 MB of the ring's 16. */
const CHUNK = 25_000;

const FIELDS = 'four fields in place, by BTF';
const RECORD = 'four fields of a RingBufferRecord, by hand';
const OBJECT = 'the whole event as an object, by BTF';
const LIBBPF = 'libbpf ring_buffer__consume()';
const CILIUM_FIELDS = 'cilium/ebpf ReadInto(), four fields';
const CILIUM_OBJECT = 'cilium/ebpf ReadInto(), binary.Read()';
const AYA = 'aya RingBuf::next(), four fields';

/** What is compared with what. The last of libbpf's is no like for like: C still reads four fields in place. */
const COMPARISONS = [
  { what: FIELDS, peer: 'libbpf', with: LIBBPF },
  { what: FIELDS, peer: 'cilium/ebpf', with: CILIUM_FIELDS },
  { what: FIELDS, peer: 'aya', with: AYA },
  { what: RECORD, peer: 'libbpf', with: LIBBPF },
  { what: OBJECT, peer: 'libbpf', with: LIBBPF },
  { what: OBJECT, peer: 'cilium/ebpf', with: CILIUM_OBJECT },
] as const;

/**
 * Draining a ring, ours against libbpf in C, cilium/ebpf in Go and aya in Rust. Each reader is a process with a ring of its own,
 * filled by the same program; the runs alternate, the first of each is not counted.
 */
export async function benchRing({
  events = 500_000,
  runs = 9,
}: {
  events?: number | undefined;
  runs?: number | undefined;
}): Promise<BenchmarkReport> {
  const root = projectRoot();
  const readers = startReaders(root);
  const times = new Map<string, number[]>(readers.map(({ name }) => [name, []]));
  try {
    for (let run = 0; run <= runs; run++) {
      const answers = new Map<string, ReaderAnswer>();
      for (const reader of readers) answers.set(reader.name, await reader.run({ events, chunk: CHUNK }));
      checkAnswers(answers, events);
      if (run === 0) continue;
      for (const [name, { nanoseconds }] of answers) times.get(name)?.push(nanoseconds / events);
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
  return {
    benchmark: 'ring',
    results: COMPARISONS.map((comparison) => compare(comparison, { times, events, runs })),
  };
}

function startReaders(root: string): ReaderProcess[] {
  const object = buildBpf(root, 'bench/ring/ring.bpf.c');
  const script = join(root, 'build/bench/ring/our-reader.js');
  const readers = [
    new ReaderProcess(FIELDS, [process.execPath, script, object, 'fields']),
    new ReaderProcess(RECORD, [process.execPath, script, object, 'record']),
    new ReaderProcess(OBJECT, [process.execPath, script, object, 'object']),
  ];
  const peer = compileWithLibbpf(root, 'bench/ring/libbpf-reader.c');
  if (peer.path === undefined) console.error(`nothing to compare with: ${peer.missing ?? ''}`);
  else readers.splice(1, 0, new ReaderProcess(LIBBPF, [peer.path, object]));
  const cilium = compileWithCilium(root, 'bench/ring/cilium-reader');
  if (cilium.path === undefined) console.error(cilium.missing);
  else {
    readers.push(new ReaderProcess(CILIUM_FIELDS, [cilium.path, object, 'fields']));
    readers.push(new ReaderProcess(CILIUM_OBJECT, [cilium.path, object, 'object']));
  }
  const aya = compileWithAya(root, 'bench/ring/aya-reader');
  if (aya.path === undefined) console.error(aya.missing);
  else readers.push(new ReaderProcess(AYA, [aya.path, object]));
  return readers;
}

function compare(
  { what, peer, with: other }: (typeof COMPARISONS)[number],
  { times, events, runs }: { times: ReadonlyMap<string, readonly number[]>; events: number; runs: number },
): BenchmarkResult {
  const ours = median(times.get(what) ?? []);
  const seen = times.get(other);
  const theirs = seen && median(seen);
  return {
    peer,
    unit: 'ns/event',
    what,
    ours: round(ours, 2),
    theirs: theirs === undefined ? null : round(theirs, 2),
    ratio: theirs === undefined ? null : round(ours / theirs, 3),
    events,
    runs,
  };
}
