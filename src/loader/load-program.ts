import { ObjectError, PermissionError, VerifierError } from '../errors.ts';
import { INSTRUCTION_SIZE } from '../asm/index.ts';
import type { ObjectFile, ProgramSpec } from '../elf/index.ts';
import { BpfProgram } from '../programs/index.ts';
import {
  bpfError,
  capabilitiesOfProgramType,
  describeErrno,
  errno,
  errnoName,
  Fd,
  missingCapabilities,
  tryBpf,
  type BpfCall,
  type BpfToken,
  type Kernel,
} from '../sys/index.ts';
import {
  BPF_F_SLEEPABLE,
  BPF_F_TOKEN_FD,
  BPF_F_XDP_DEV_BOUND_ONLY,
  BPF_F_XDP_HAS_FRAGS,
  BPF_PROG_TYPE_SYSCALL,
  bpf_attr_prog_load,
} from '../uapi/index.ts';
import { extensionInfo } from './extension-info.ts';
import { loadWithLog, LOG_LEVEL, LOG_STATES, LOG_STATISTICS, type LoggedResult } from './load-log.ts';
import { kernelObjectName } from './kernel-names.ts';
import { missingFeature, missingInDriver } from './missing-feature.ts';
import type { LinkedProgram } from './subprograms.ts';
import { readVerifierLog } from './verifier-log.ts';
import type { VerifierReport } from './verifier-report.ts';

/** What is logged of a program that the kernel accepts: nothing, how much work it was, or every instruction too. */
export type AcceptedLog = 'none' | 'statistics' | 'instructions';

type LoadFields = Partial<bpf_attr_prog_load>;

/** The function or type by whose BTF id a program is verified. Linux 5.5. */
export interface AttachFields {
  readonly btfId: number;
  /** Of the program or of the module's BTF that the id is of; 0 for the kernel's own. */
  readonly descriptor: number;
  /** Where it is not the one of the program's section: of struct_ops the index of the member. */
  readonly type?: number;
}

/**
 * Loads one program that is completely relocated.
 *
 * The first try asks for no log, which makes verification faster; a refused program is tried again with one that
 * grows until all of it fits.
 *
 * @returns the program, and the verifier's log where one was asked for
 * @throws VerifierError, PermissionError, ObjectError for a section name that says no type
 */
export function loadProgram(
  linked: LinkedProgram,
  context: {
    object: ObjectFile;
    btf: Fd | undefined;
    kernel: Kernel;
    /** `fd_array`: descriptors of the BTF of modules. Linux 5.14. */
    moduleDescriptors?: readonly number[];
    /** What stands in for the types of its functions: see {@link ContextArguments}. */
    functionTypes?: ReadonlyMap<number, number> | undefined;
    /** What it is verified against: see {@link AttachFields}. */
    attach?: AttachFields | undefined;
    /** @default 'none' */
    acceptedLog?: AcceptedLog | undefined;
    token?: BpfToken | undefined;
  },
): { program: BpfProgram; log: string } {
  const { object, btf, kernel, moduleDescriptors = [], attach, acceptedLog = 'none', token } = context;
  const { functionTypes } = context;
  const { spec, instructions } = linked;
  if (spec.type === 0) throw unknownType(spec);
  const license = new TextEncoder().encode(`${object.license}\0`);
  const info =
    btf && object.btfExt ? extensionInfo(linked, { ext: object.btfExt, clones: functionTypes }) : undefined;
  const descriptors = new Uint8Array(Int32Array.from(moduleDescriptors).buffer);
  const fields: LoadFields = {
    prog_type: spec.type,
    expected_attach_type: spec.attachType,
    insn_cnt: instructions.length / INSTRUCTION_SIZE,
    insns: kernel.addressOf(instructions),
    license: kernel.addressOf(license),
    kern_version: object.kernelVersion,
    prog_flags: programFlags(spec) | (token ? BPF_F_TOKEN_FD : 0),
    prog_name: kernelObjectName(spec.name),
    prog_ifindex: spec.deviceBound ?? 0,
    fd_array: kernel.addressOf(descriptors),
    ...(attach?.type !== undefined && { expected_attach_type: attach.type }),
    ...(attach && { attach_btf_id: attach.btfId, attach_prog_fd: attach.descriptor }),
    ...(token && { prog_token_fd: token.fd.value }),
    ...(btf && info && { prog_btf_fd: btf.value, ...info.fields(kernel) }),
  };
  const keep = [instructions, license, descriptors, ...(info?.buffers ?? [])];
  const attempt = { spec, fields, keep };
  const first =
    acceptedLog === 'none'
      ? { result: tryBpf(kernel, loadCall(attempt)), log: '' }
      : loadWithLog(kernel, { call: loadCall(attempt), level: acceptedLevel(acceptedLog) });
  const level = acceptedLog === 'none' ? LOG_LEVEL : LOG_LEVEL | LOG_STATISTICS;
  const loaded = first.result >= 0 ? first : retryWithLog(kernel, { ...attempt, level });
  return { program: adopt(kernel, { spec, number: loaded.result }), log: loaded.log };
}

function acceptedLevel(log: Exclude<AcceptedLog, 'none'>): number {
  return log === 'statistics' ? LOG_STATISTICS : LOG_STATES | LOG_STATISTICS;
}

interface Attempt {
  readonly spec: ProgramSpec;
  readonly fields: LoadFields;
  readonly keep: readonly Uint8Array[];
}

function loadCall({ spec, fields, keep }: Attempt): BpfCall<bpf_attr_prog_load> {
  return {
    command: 'BPF_PROG_LOAD',
    attribute: bpf_attr_prog_load,
    fields,
    keep,
    doing: `load program ${spec.name}`,
  };
}

/** A descriptor, should the second try succeed; otherwise it throws what the log says. */
function retryWithLog(kernel: Kernel, attempt: Attempt & { level: number }): LoggedResult {
  const logged = loadWithLog(kernel, { call: loadCall(attempt), level: attempt.level });
  if (logged.result >= 0) return logged;
  throw refusal(kernel, { ...attempt, errnoNumber: -logged.result, log: logged.log });
}

function refusal(
  kernel: Kernel,
  { spec, fields, errnoNumber, log }: Attempt & { errnoNumber: number; log: string },
): Error {
  const report = readVerifierLog(log);
  if (report === undefined && (errnoNumber === errno.EPERM || errnoNumber === errno.EACCES)) {
    return permissionRefusal(spec, errnoNumber);
  }
  const lacking = report && lackingPerfmon(spec, { errnoNumber, report });
  if (lacking) return lacking;
  if (report === undefined && errnoNumber === errno.EOPNOTSUPP && spec.deviceBound !== undefined)
    return missingInDriver(spec);
  if (report === undefined && errnoNumber === errno.EINVAL) {
    const missing = missingFeature(kernel, { spec, fields });
    if (missing) return missing;
  }
  const known = { program: spec.name, errno: errnoNumber, errnoName: errnoName(errnoNumber), log };
  if (report === undefined) {
    const summary = `the kernel refused it before verification with ${describeErrno(errnoNumber)}`;
    return new VerifierError({ ...known, summary });
  }
  const hint = report.suggestion ?? 'the whole log is in the field "log" (--verbose prints it)';
  return new VerifierError({ ...known, ...report }, { hint });
}

/**
 * Refusals that CAP_PERFMON lifts: env->allow_ptr_leaks and env->bypass_spec_v1 in kernel/bpf/verifier.c. Without it
 * pointers may not be subtracted, stored or printed, and no packet pointer may have a variable added.
 */
const NEEDS_PERFMON =
  /prohibited for !root|pointer -= pointer prohibited|leaks? (addr|pointer)|unsupported alu operation/;

function lackingPerfmon(
  spec: ProgramSpec,
  { errnoNumber, report }: { errnoNumber: number; report: VerifierReport },
): PermissionError | undefined {
  const reason = report.reasons.findLast((line) => NEEDS_PERFMON.test(line));
  if (reason === undefined) return undefined;
  const missing = missingCapabilities(['CAP_PERFMON']);
  if (missing.length === 0) return undefined;
  return new PermissionError(
    'bpf(BPF_PROG_LOAD)',
    errnoName(errnoNumber),
    missing,
    `Cannot load program ${spec.name}: CAP_PERFMON is missing, without which the verifier refuses it: ${reason}`,
    { hint: 'Run it as root, or give the process CAP_PERFMON.' },
  );
}

function permissionRefusal(spec: ProgramSpec, errnoNumber: number): Error {
  const needed = capabilitiesOfProgramType(spec.type);
  return bpfError({ command: 'BPF_PROG_LOAD', doing: `load program ${spec.name}`, needed }, -errnoNumber);
}

function programFlags(spec: ProgramSpec): number {
  let flags = 0;
  // Syscall programs are sleepable by nature and must say so (bpf_prog_load_check_attach and verifier).
  if (spec.sleepable || spec.type === BPF_PROG_TYPE_SYSCALL) flags |= BPF_F_SLEEPABLE;
  if (spec.frags) flags |= BPF_F_XDP_HAS_FRAGS;
  if (spec.deviceBound !== undefined) flags |= BPF_F_XDP_DEV_BOUND_ONLY;
  return flags;
}

function adopt(kernel: Kernel, { spec, number }: { spec: ProgramSpec; number: number }): BpfProgram {
  return new BpfProgram(new Fd(kernel, number, `program ${spec.name}`), {
    name: spec.name,
    type: spec.type,
    attachType: spec.attachType,
    kernel,
  });
}

function unknownType(spec: ProgramSpec): ObjectError {
  return new ObjectError(
    'OBJECT_INVALID',
    `Cannot load program ${spec.name}: its section name ${spec.section} says no program type`,
    {
      section: spec.section,
      program: spec.name,
      hint: 'name the section as libbpf does, for example SEC("xdp")',
    },
  );
}
