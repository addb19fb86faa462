import { readFileSync } from 'node:fs';
import { Btf } from '../../btf/index.ts';
import { FileError, NotFoundError } from '../../errors.ts';
import { readBtfInfo, readProgramInfo, type BtfInfo } from '../../programs/index.ts';
import { mapObjects, openIfThere, readInfo, type Kernel } from '../../sys/index.ts';
import { bpf_btf_info, bpf_map_info } from '../../uapi/index.ts';

const KERNEL = '/sys/kernel/btf/vmlinux';

/** A BTF in the kernel, and whose types it has. */
export interface HeldBtfObject extends BtfInfo {
  readonly programIds: readonly number[];
  readonly mapIds: readonly number[];
}

/** Every BTF in the kernel, by id. Linux 5.4. @throws PermissionError, SyscallError */
export function listBtfObjects(kernel: Kernel): HeldBtfObject[] {
  const programs = mapObjects(kernel, 'program', (fd) => readProgramInfo(kernel, fd));
  const maps = mapObjects(kernel, 'map', (fd) => readInfo(kernel, { fd, descriptor: bpf_map_info }));
  return mapObjects(kernel, 'BTF', (fd) => {
    const object = readBtfInfo(kernel, fd);
    return {
      ...object,
      programIds: programs.filter(({ btfId }) => btfId === object.id).map(({ id }) => id),
      mapIds: maps.filter((map) => map.btf_id === object.id).map(({ id }) => id),
    };
  });
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
    const object = readBtfInfo(kernel, fd);
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
