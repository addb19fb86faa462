import { errno } from '../../src/sys/index.ts';
import { bpf_attr_info, BPF_OBJ_GET_INFO_BY_FD } from '../../src/uapi/index.ts';
import { PartialKernel } from './partial-kernel.ts';

/** The running kernel, which knows no more than so many bytes of what it tells of an object, as an older one does. */
export class OldInfoKernel extends PartialKernel {
  readonly #bytes: number;
  readonly #buffers = new Map<bigint, Uint8Array>();

  constructor(bytes: number) {
    super([], 0);
    this.#bytes = bytes;
  }

  override addressOf(bytes: Uint8Array): bigint {
    const address = super.addressOf(bytes);
    this.#buffers.set(address, bytes);
    return address;
  }

  override bpf(command: number, attribute: Uint8Array): number {
    if (command !== BPF_OBJ_GET_INFO_BY_FD) return super.bpf(command, attribute);
    const { info, info_len, ...rest } = bpf_attr_info.decode(attribute);
    const tail = this.#buffers.get(info)?.subarray(this.#bytes, info_len) ?? [];
    if (tail.some((byte) => byte !== 0)) return -errno.E2BIG;
    const known = Math.min(info_len, this.#bytes);
    return super.bpf(command, bpf_attr_info.encode({ ...rest, info, info_len: known }));
  }
}
