export { addAddress, deleteAddress, listAddresses } from './addresses.ts';
export type { AddressOptions, InterfaceAddress } from './addresses.ts';
export { formatIpv4, formatIpv6 } from './address-text.ts';
export { Attributes, concatenate, encodeAttributes, numberAttribute, stringAttribute } from './attributes.ts';
export type { Attribute } from './attributes.ts';
export { addBpfFilter, deleteBpfFilter, listBpfFilters } from './bpf-filters.ts';
export type { BpfFilter, BpfFilterPlace, NewBpfFilter } from './bpf-filters.ts';
export { createVethPair, deleteInterface, setInterface } from './change-interfaces.ts';
export type { InterfaceChange, InterfaceReference, VethEnd, VethPairOptions } from './change-interfaces.ts';
export { deviceChannels, deviceDriver, largeReceiveOffload } from './ethtool.ts';
export type { DeviceChannels, DeviceDriver, EthtoolOptions } from './ethtool.ts';
export { filterParents } from './filter-parents.ts';
export type { FilterParent } from './filter-parents.ts';
export {
  interfaceByIndex,
  interfaceByName,
  listInterfaces,
  tryInterfaceByIndex,
  tryInterfaceByName,
} from './find-interfaces.ts';
export type { InterfaceXdp, NetworkInterface, OperationalState, XdpMode } from './interface.ts';
export { decodeInterface } from './interface.ts';
export { interfaceStatistics } from './interface-statistics.ts';
export type { InterfaceStatistics } from './interface-statistics.ts';
export { formatIpAddress, parseIpAddress } from './ip-address.ts';
export { formatMacAddress, parseMacAddress } from './mac-address.ts';
export { decodeDone, decodeError, decodeMessages, encodeMessage } from './message.ts';
export type { Message, Outcome } from './message.ts';
export { netlinkError } from './netlink-error.ts';
export { addClsact, clsactSide, deleteClsact, listQdiscs } from './qdiscs.ts';
export type { Qdisc, TrafficDevice } from './qdiscs.ts';
export { interfaceTowards } from './route-to.ts';
export { RouteSocket } from './route-socket.ts';
export type { RouteRequest, RouteSocketOptions } from './route-socket.ts';
export { createVxlan } from './vxlan.ts';
export type { VxlanOptions } from './vxlan.ts';
export { RouteWatch, watchRoute } from './watch-route.ts';
export type { RouteEvent, RouteGroup, RouteWatchOptions } from './watch-route.ts';
export { setXdpProgram, trySetXdpProgram } from './xdp.ts';
export type { XdpChange } from './xdp.ts';
