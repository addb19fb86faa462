export { adaptToKernel } from './adapt-object.ts';
export type { BitcoinAddress } from './bitcoin-address.ts';
export { capturedEventFromRecord, InterfaceMode, payloadCapacity } from './captured-event.ts';
export type { CapturedEvent, Ipv6Details } from './captured-event.ts';
export { diffConfiguration } from './configuration-difference.ts';
export type { ConfigurationStep, FilterSettings } from './configuration-difference.ts';
export { parseSnifferConfiguration } from './configuration-file.ts';
export { configurationLimits } from './configuration.ts';
export type {
  FilterConfiguration,
  InterfaceConfiguration,
  InterfaceModeName,
  SnifferConfiguration,
} from './configuration.ts';
export { shannonEntropy } from './entropy.ts';
export { describeFields, describePacket, hexDump, isSnifferEvent } from './event-text.ts';
export type { ExecutableHeader } from './executable-header.ts';
export { fillSnifferMaps } from './fill-maps.ts';
export type { OnionAddress } from './onion-address.ts';
export type { PayloadAnalysis } from './payload-analysis.ts';
export { loadPayloadAnalyzer } from './payload-analyzer.ts';
export type { PayloadAnalyzer } from './payload-analyzer.ts';
export { protocolName, TcpFlag, tcpFlagNames } from './protocol-names.ts';
export { createSecurityEventEncoder } from './security-event-encoder.ts';
export type { SecurityEventEncoder, SecurityEventEncoderOptions } from './security-event-encoder.ts';
export { readSimpleEvent, readSimpleEventV6, SimpleEvent, SimpleEventV6 } from './simple-event.ts';
export { SnifferMaps, sumCounters } from './sniffer-maps.ts';
export type { WatchedInterface } from './sniffer-maps.ts';
