import { readFileSync } from 'node:fs';
import { Btf } from '../../btf/index.ts';
import { FileError, NotFoundError } from '../../errors.ts';
import { readProgramInfo } from '../../programs/index.ts';
import { mapObjects, openIfThere, readInfo, type Fd, type Kernel } from '../../sys/index.ts';
import { bpf_btf_info, bpf_map_info } from '../../uapi/index.ts';

/** `MODULE_NAME_LEN` */
const LONGEST_NAME = 64;
const KERNEL = '/sys/kernel/btf/vmlinux';

/** A BTF in the kernel. */
export interface BtfObject {
  readonly id: number;
  /** Bytes. */
  readonly size: number;
  /** Of the kernel itself (`vmlinux`) or a module; a program's is usually nameless. */
  readonly name: string;
  /** The kernel's own, of which that of a module extends the one of `vmlinux`. */
  readonly ofKernel: boolean;
}

/** A BTF in the kernel, and whose types it has. */
export interface HeldBtfObject extends BtfObject {
  readonly programIds: readonly number[];
  readonly mapIds: readonly number[];
}

/** Every BTF in the kernel, by id. Linux 5.4. @throws PermissionError, SyscallError */
export function listBtfObjects(kernel: Kernel): HeldBtfObject[] {
  const programs = mapObjects(kernel, 'program', (fd) => readProgramInfo(kernel, fd));
  const maps = mapObjects(kernel, 'map', (fd) => readInfo(kernel, { fd, descriptor: bpf_map_info }));
  return mapObjects(kernel, 'BTF', (fd) => {
    const object = readBtfObject(kernel, fd);
    return {
      ...object,
      programIds: programs.filter(({ btfId }) => btfId === object.id).map(({ id }) => id),
      mapIds: maps.filter((map) => map.btf_id === object.id).map(({ id }) => id),
    };
  });
}

function readBtfObject(kernel: Kernel, fd: Fd): BtfObject {
  const name = new Uint8Array(LONGEST_NAME);
  const info = readInfo(kernel, {
    fd,
    descriptor: bpf_btf_info,
    fields: { name: kernel.addressOf(name), name_len: name.length },
    keep: [name],
  });
  return {
    id: info.id,
    size: info.btf_size,
    name: Buffer.from(name.subarray(0, Math.max(0, name.indexOf(0)))).toString('latin1'),
    ofKernel: info.kernel_btf !== 0,
  };
}

/**
 * The types of a BTF in the kernel. Those of a module come on the kernel's, which is read from sysfs unless it is given.
 * Linux 4.18.
 *
 * @throws NotFoundError (BTF_NOT_FOUND), FileError, BtfError, PermissionError, SyscallError
 */
export function readBtfById(kernel: Kernel, id: number, { base }: { base?: Btf | undefined } = {}): Btf {
  const fd = openIfThere(kernel, 'BTF', id);
  if (fd === undefined)
    throw new NotFoundError(
      'BTF_NOT_FOUND',
      String(id),
      `Cannot find BTF ${id}: the kernel has none of that id`,
    );
  try {
    const object = readBtfObject(kernel, fd);
    const bytes = new Uint8Array(object.size);
    readInfo(kernel, {
      fd,
      descriptor: bpf_btf_info,
      fields: { btf: kernel.addressOf(bytes), btf_size: bytes.length },
      keep: [bytes],
    });
    const ofModule = object.ofKernel && object.name !== 'vmlinux';
    return Btf.parse(bytes, { base: ofModule ? (base ?? readVmlinux()) : undefined });
  } finally {
    fd.close();
  }
}

function readVmlinux(): Btf {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(KERNEL);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new FileError('FILE_UNREADABLE', KERNEL, `Cannot open ${KERNEL}: ${code}`, { cause });
  }
  return Btf.parse(bytes);
}
