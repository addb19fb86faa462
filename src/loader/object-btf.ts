import { BtfError, SyscallError } from '../errors.ts';
import { struct, u32 } from '../binary/index.ts';
import type { Btf, BtfDatasec, BtfType } from '../btf/index.ts';
import { KERNEL_CONFIG_SECTION, type ObjectFile } from '../elf/index.ts';
import {
  bpfError,
  describeErrno,
  errno,
  openBpf,
  tryBpf,
  type BpfToken,
  type Fd,
  type Kernel,
} from '../sys/index.ts';
import {
  BPF_F_TOKEN_FD,
  BTF_KIND_STRUCT,
  bpf_attr_btf_load,
  btf_type,
  btf_var_secinfo,
} from '../uapi/index.ts';
import { appendTypes } from './append-types.ts';
import { btfSupport, sanitizeBtf } from './sanitize-btf.ts';

const Member = struct('btf_member', { name_off: u32, type: u32, offset: u32 });
const LOG_SIZE = 256 * 1024;

/**
 * Brings an object's BTF into the kernel (`BPF_BTF_LOAD`, Linux 4.18), where programs and maps refer to it; what an
 * older kernel does not know is replaced first. `added` are types behind its own. Undefined for an object without BTF, or where its `.BTF` holds no type.
 *
 * @throws BtfError with the kernel's reason
 */
export function loadObjectBtf(
  kernel: Kernel,
  {
    object,
    token,
    added = [],
  }: { object: ObjectFile; token?: BpfToken | undefined; added?: readonly BtfType[] | undefined },
): Fd | undefined {
  if (!object.btf || object.btf.typeCount <= 1) return undefined;
  const prepared = prepareBtf(object.btf, object);
  const bytes = added.length === 0 ? prepared : appendTypes(prepared, added);
  try {
    return loadBtf(kernel, { bytes, name: object.name, token });
  } catch (error) {
    // A kernel that has tokens (6.9) knows every kind, and would have to be asked with the token.
    if (token || !refusesContents(error)) throw error;
    const sanitized = sanitizeBtf(bytes, btfSupport(kernel));
    if (!sanitized) throw error;
    return loadBtf(kernel, { bytes: sanitized, name: object.name });
  }
}

/** As against what says nothing about the BTF: no memory, no permission. */
function refusesContents(error: unknown): boolean {
  if (!(error instanceof BtfError) || !(error.cause instanceof SyscallError)) return false;
  return error.cause.errno === errno.EINVAL || error.cause.errno === errno.E2BIG;
}

function loadBtf(
  kernel: Kernel,
  { bytes, name, token }: { bytes: Uint8Array; name: string; token?: BpfToken | undefined },
): Fd {
  const call = {
    command: 'BPF_BTF_LOAD',
    attribute: bpf_attr_btf_load,
    fields: {
      btf: kernel.addressOf(bytes),
      btf_size: bytes.length,
      ...(token && { btf_flags: BPF_F_TOKEN_FD, btf_token_fd: token.fd.value }),
    },
    keep: [bytes],
    doing: `load the BTF of ${name}`,
    description: `BTF of ${name}`,
  } as const;
  try {
    return openBpf(kernel, call);
  } catch (error) {
    const log = new Uint8Array(LOG_SIZE);
    const logged = {
      ...call,
      fields: {
        ...call.fields,
        btf_log_level: 1,
        btf_log_size: log.length,
        btf_log_buf: kernel.addressOf(log),
      },
      keep: [bytes, log],
    };
    const result = tryBpf(kernel, logged);
    if (result >= 0) {
      kernel.close(result);
      throw error;
    }
    if (-result === errno.EPERM) throw bpfError(call, result);
    const reason = reasonIn(log) ?? `${describeErrno(-result)}, and says no more`;
    throw new BtfError(`Cannot load the BTF of ${name}: the kernel refuses it: ${reason}`, { cause: error });
  }
}

/** What clang leaves open, filled in a copy as libbpf's btf_fixup_datasec() does before loading. */
export function prepareBtf(btf: Btf, object: ObjectFile): Uint8Array {
  const bytes = btf.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (const id of btf.idsOf('datasec')) {
    const datasec = btf.type(id);
    if (datasec.kind === 'datasec') prepareDatasec(view, { btf, id, datasec, object });
  }
  for (const id of object.hiddenFunctions.size > 0 ? btf.idsOf('function') : []) {
    if (object.hiddenFunctions.has(btf.nameOf(id))) makeStatic(view, { btf, id });
  }
  return bytes;
}

function prepareDatasec(
  view: DataView,
  at: { btf: Btf; id: number; datasec: BtfDatasec; object: ObjectFile },
): void {
  const { btf, id, datasec, object } = at;
  const settings =
    datasec.name === KERNEL_CONFIG_SECTION ? object.maps.get(KERNEL_CONFIG_SECTION) : undefined;
  if (datasec.name === '.ksyms' || (datasec.name === KERNEL_CONFIG_SECTION && !settings)) {
    replaceExterns(view, at);
    return;
  }
  const record = btf.byteOffsetOf(id);
  const size = settings?.valueSize ?? object.sectionSizes.get(datasec.name) ?? datasec.size;
  btf_type.update(view, record, { size });
  const places = datasec.variables.map((place) => ({
    type: place.typeId,
    offset: offsetOf(btf.nameOf(place.typeId), { datasec, object }) ?? place.offset,
    size: place.size,
  }));
  if (settings) for (const { typeId } of datasec.variables) makeGlobal(view, { btf, id: typeId });
  // The kernel wants them in ascending order (btf_datasec_check_meta); clang emits them as it meets them.
  places.sort((a, b) => a.offset - b.offset);
  places.forEach((place, index) => {
    btf_var_secinfo.write(view, record + btf_type.size + index * btf_var_secinfo.size, place);
  });
}

function offsetOf(
  name: string,
  { datasec, object }: { datasec: BtfDatasec; object: ObjectFile },
): number | undefined {
  if (datasec.name === KERNEL_CONFIG_SECTION) return object.externs.get(name)?.place?.offset;
  return object.symbolOffset(datasec.name, name);
}

/**
 * Externs have no storage, and the kernel takes neither extern functions nor such variables in a DATASEC
 * (btf_func_check_meta, btf_var_check_meta). A struct of as many ints takes exactly the same room. The extern
 * functions and variables themselves become global ones of the same room.
 */
function replaceExterns(
  view: DataView,
  { btf, id, datasec }: { btf: Btf; id: number; datasec: BtfDatasec },
): void {
  const record = btf.byteOffsetOf(id);
  const intId = findInt(btf);
  if (intId === undefined)
    throw new BtfError('Cannot load the BTF: it has externs and no int', { typeId: id });
  const stride = btf.sizeOrTypeId(intId);
  const count = datasec.variables.length;
  btf_type.update(view, record, {
    name_off: 0,
    info: (BTF_KIND_STRUCT << 24) | count,
    size: stride * count,
  });
  datasec.variables.forEach((place, index) => {
    const member = { name_off: 0, type: intId, offset: stride * 8 * index };
    Member.write(view, record + btf_type.size + index * Member.size, member);
    replaceExtern(view, { btf, id: place.typeId, intId });
  });
}

/** One of 4 bytes where there is one. */
function findInt(btf: Btf): number | undefined {
  const ints = btf.idsOf('int');
  return ints.find((id) => btf.sizeOrTypeId(id) === 4) ?? ints[0];
}

const GLOBAL = 1;

/** An extern variable may be of type void, and a global one may not: what it is, only the program's code knows. */
function replaceExtern(view: DataView, { btf, id, intId }: { btf: Btf; id: number; intId: number }): void {
  const record = btf.byteOffsetOf(id);
  const type = btf.type(id);
  if (type.kind === 'variable') {
    makeGlobal(view, { btf, id });
    btf_type.update(view, record, { size: intId });
    return;
  }
  if (type.kind !== 'function') return;
  const { info, name_off: name } = btf_type.read(view, record);
  btf_type.update(view, record, { info: (info & 0xffff_0000) | GLOBAL });
  nameParameters(view, { btf, prototypeId: type.typeId, name });
}

/** The linkage of a variable follows its `struct btf_type`. */
function makeGlobal(view: DataView, { btf, id }: { btf: Btf; id: number }): void {
  if (btf.kindOf(id) === 'variable') view.setUint32(btf.byteOffsetOf(id) + btf_type.size, GLOBAL, true);
}

/** A static function is verified with what its callers pass, a global one without knowing it. */
function makeStatic(view: DataView, { btf, id }: { btf: Btf; id: number }): void {
  const record = btf.byteOffsetOf(id);
  const { info } = btf_type.read(view, record);
  btf_type.update(view, record, { info: (info & 0xffff_0000) >>> 0 });
}

/** The kernel asks for a name of every argument of a function that has a body (btf_func_check). */
function nameParameters(
  view: DataView,
  { btf, prototypeId, name }: { btf: Btf; prototypeId: number; name: number },
): void {
  const prototype = btf.type(prototypeId);
  if (prototype.kind !== 'function_proto') return;
  const first = btf.byteOffsetOf(prototypeId) + btf_type.size;
  prototype.parameters.forEach((parameter, index) => {
    if (parameter.name === '') view.setUint32(first + index * 8, name, true);
  });
}

/** The log lists every type, and ends with the one at fault and what is wrong with it; or with the last one, and nothing. */
function reasonIn(log: Uint8Array): string | undefined {
  const end = log.indexOf(0);
  const text = new TextDecoder().decode(end < 0 ? log : log.subarray(0, end));
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  return last === '' || LISTED_TYPE.test(last) ? undefined : last.trim();
}

/** `[33] TYPE_TAG kptr type_id=32`, or a member of one behind a tab: nothing follows what the type consists of. */
const LISTED_TYPE = /^(\[\d+\]|\t).*(\w=[^\s=]*|=\(.*\)| FWD \S+ (struct|union))$/;
