import { ObjectError } from '../../errors.ts';
import * as link from '../../link/index.ts';
import type { Link } from '../../link/index.ts';
import { pidOf, type AttachCall, type Attacher, type AttachKind, type TargetForm } from './request.ts';

/** A name that the section may have after a slash: `kprobe/FUNCTION`. */
export function named(form: string, pattern = /./): TargetForm {
  return { what: 'a target', form: () => form, fits: (target) => pattern.test(target) };
}

const ofKernel = named('FUNCTION[+OFFSET]');
const ofFile = named('PATH:FUNCTION', /^[^:]+:./);
const patternOfFile = named('PATH:PATTERN', /^[^:]+:./);
const systemCall = named('NAME');
const pattern = named('PATTERN');
const usdt: AttachKind = {
  target: named('PATH:PROVIDER:NAME', /^[^:]+:[^:]+:./),
  heeds: ['pid'],
  attach: attachUsdt,
};

const entry = { onReturn: false };
const onReturn = { onReturn: true };

const kprobes = (when: When): AttachKind => ({ target: ofKernel, attach: kprobe(when) });
const syscalls = (when: When): AttachKind => ({ target: systemCall, attach: ksyscall(when) });
const kprobesMulti = (when: When): AttachKind => ({ target: pattern, attach: kprobeMulti(when) });
const uprobes = (when: When): AttachKind => ({ target: ofFile, heeds: ['pid'], attach: uprobe(when) });
const uprobesMulti = (when: When): AttachKind => ({
  target: patternOfFile,
  heeds: ['pid'],
  attach: uprobeMulti(when),
});

/** By the name of the section. */
export const probeKinds: Readonly<Record<string, AttachKind>> = {
  kprobe: kprobes(entry),
  kretprobe: kprobes(onReturn),
  ksyscall: syscalls(entry),
  kretsyscall: syscalls(onReturn),
  'kprobe.multi': kprobesMulti(entry),
  'kretprobe.multi': kprobesMulti(onReturn),
  'kprobe.session': kprobesMulti(entry),
  uprobe: uprobes(entry),
  'uprobe.s': uprobes(entry),
  uretprobe: uprobes(onReturn),
  'uretprobe.s': uprobes(onReturn),
  'uprobe.multi': uprobesMulti(entry),
  'uprobe.multi.s': uprobesMulti(entry),
  'uretprobe.multi': uprobesMulti(onReturn),
  'uretprobe.multi.s': uprobesMulti(onReturn),
  'uprobe.session': uprobesMulti(entry),
  'uprobe.session.s': uprobesMulti(entry),
  usdt,
  'usdt.s': usdt,
};

interface When {
  readonly onReturn: boolean;
}

function kprobe({ onReturn }: When): Attacher {
  return ({ program, target }) => {
    const [, name = '', offset] = /^(.*?)(?:\+(0x[0-9a-fA-F]+|\d+))?$/.exec(target) ?? [];
    return [link.attachKprobe(program, { function: name, offset: Number(offset ?? 0), onReturn })];
  };
}

function ksyscall({ onReturn }: When): Attacher {
  return ({ program, target }) => [link.attachKsyscall(program, { syscall: target, onReturn })];
}

function kprobeMulti({ onReturn }: When): Attacher {
  return ({ program, target }) => [link.attachKprobeMulti(program, { functions: target, onReturn })];
}

function uprobe({ onReturn }: When): Attacher {
  return (call) => {
    const { path, rest } = splitFile(call.target);
    // A number alone is an offset in the file, as libbpf takes it.
    const place = /^(0x[0-9a-fA-F]+|\d+)$/.test(rest) ? { offset: BigInt(rest) } : { function: rest };
    return [link.attachUprobe(call.program, { path, ...place, onReturn, ...pidOf(call) })];
  };
}

function uprobeMulti({ onReturn }: When): Attacher {
  return (call) => {
    const { path, rest } = splitFile(call.target);
    return [link.attachUprobeMulti(call.program, { path, functions: rest, onReturn, ...pidOf(call) })];
  };
}

function attachUsdt(call: AttachCall): Link[] {
  const { program, maps } = call;
  const { path, rest } = splitFile(call.target);
  const [provider = '', name = ''] = rest.split(':');
  const specs = maps.get('__bpf_usdt_specs');
  if (!specs) {
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot attach ${program.name} to ${provider}:${name}: its object has no map __bpf_usdt_specs`,
      { program: program.name, hint: 'include <bpf/usdt.bpf.h>, and read an argument of the probe' },
    );
  }
  const instructions = maps.get('__bpf_usdt_ip_to_spec_id');
  return [link.attachUsdt(program, { path, provider, name, maps: { specs, instructions }, ...pidOf(call) })];
}

/** `/bin/bash:readline`: a path has no colon in section names. */
function splitFile(target: string): { path: string; rest: string } {
  const colon = target.indexOf(':');
  return { path: target.slice(0, colon), rest: target.slice(colon + 1) };
}
