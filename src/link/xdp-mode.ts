import type { XdpMode } from '../netlink/index.ts';
import { XDP_FLAGS_DRV_MODE, XDP_FLAGS_HW_MODE, XDP_FLAGS_SKB_MODE } from '../uapi/index.ts';

export type { XdpMode };

/**
 * Where in the receive path an XDP program can run: in the driver before an skb exists (`native`), after it on any
 * device (`generic`, much slower), or on the network card (`offload`).
 */
export const XDP_MODES: readonly XdpMode[] = ['native', 'generic', 'offload'];

export const XDP_MODE_FLAGS: Record<XdpMode, number> = {
  native: XDP_FLAGS_DRV_MODE,
  generic: XDP_FLAGS_SKB_MODE,
  offload: XDP_FLAGS_HW_MODE,
};
