import { Btf, BtfBuilder } from '../btf/index.ts';
import type { BtfType } from '../btf/index.ts';
import { btf_header } from '../uapi/index.ts';

/** Without the kind layouts of Linux 7.1, which no kernel needs. */
const HEADER_SIZE = 24;

/**
 * A copy of BTF with types behind the last one, whose ids count on from there. All that is there stays where it is, the
 * strings too, which `.BTF.ext` refers to.
 */
export function appendTypes(bytes: Uint8Array, types: readonly BtfType[]): Uint8Array {
  const builder = new BtfBuilder({ base: Btf.parse(bytes) });
  for (const type of types) builder.add(type);
  const [old, added] = [partsOf(bytes), partsOf(builder.build())];
  const type_len = old.types.length + added.types.length;
  const str_len = old.strings.length + added.strings.length;
  const built = new Uint8Array(HEADER_SIZE + type_len + str_len);
  built.set(bytes.subarray(0, HEADER_SIZE));
  const header = { hdr_len: HEADER_SIZE, type_off: 0, type_len, str_off: type_len, str_len };
  btf_header.update(new DataView(built.buffer), 0, header);
  let at = HEADER_SIZE;
  for (const part of [old.types, added.types, old.strings, added.strings]) {
    built.set(part, at);
    at += part.length;
  }
  return built;
}

function partsOf(bytes: Uint8Array): { types: Uint8Array; strings: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { hdr_len, type_off, type_len, str_off, str_len } = btf_header.read(view, 0);
  return {
    types: bytes.subarray(hdr_len + type_off, hdr_len + type_off + type_len),
    strings: bytes.subarray(hdr_len + str_off, hdr_len + str_off + str_len),
  };
}
