import { TsXdpError } from '../errors.ts';
import { BpfToken, inFirstUserNamespace, type Kernel } from '../sys/index.ts';

/** A token, the root of a bpf file system to create one from, or false for none. */
export type TokenChoice = BpfToken | string | false;

const DEFAULT_PATH = '/sys/fs/bpf';

export interface ChosenToken {
  readonly token: BpfToken | undefined;
  /** It was created for this load. */
  readonly owned: boolean;
}

/**
 * The token of a load, by the rules of libbpf's `bpf_token_path`: the given one; otherwise that of the path in
 * LIBBPF_BPF_TOKEN_PATH; otherwise, without which it goes on, that of /sys/fs/bpf. An empty path means none.
 *
 * @param implicit whether /sys/fs/bpf is tried unasked; only outside the first user namespace, where no token is
 * @throws what {@link BpfToken.create} throws, for a path that was asked for
 */
export function chooseToken(
  choice: TokenChoice | undefined,
  { kernel, implicit }: { kernel: Kernel; implicit: boolean },
): ChosenToken {
  if (choice instanceof BpfToken) return { token: choice, owned: false };
  const path = choice ?? process.env['LIBBPF_BPF_TOKEN_PATH'];
  if (path === false || path === '') return { token: undefined, owned: false };
  if (path !== undefined) return { token: BpfToken.create(path, { kernel }), owned: true };
  if (!implicit || inFirstUserNamespace()) return { token: undefined, owned: false };
  return { token: createIfDelegated(kernel), owned: true };
}

/** Nobody asked for it, so that loading goes on without it, and says itself what it is not permitted. */
function createIfDelegated(kernel: Kernel): BpfToken | undefined {
  try {
    return BpfToken.create(DEFAULT_PATH, { kernel });
  } catch (error) {
    if (error instanceof TsXdpError) return undefined;
    throw error;
  }
}
