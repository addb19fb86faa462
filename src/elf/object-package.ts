import { ObjectError } from '../errors.ts';

/** A kernel takes a million instructions a program; no object comes near this. */
const LARGEST_OBJECT = 64 << 20;
/** Base64 of compressed bytes that do not get smaller, and metadata. */
const LARGEST_PACKAGE = 2 * LARGEST_OBJECT;

/** An object out of a package. */
export interface PackagedObject {
  /** ELF. */
  readonly bytes: Uint8Array;
  /** What the package calls it. */
  readonly name: string | undefined;
}

/** Whether a file is an object in JSON, as eunomia's `ecc` writes it (`package.json`): by its contents. */
export function isObjectPackage(bytes: Uint8Array): boolean {
  const start = bytes.findIndex((byte) => !isJsonSpace(byte));
  if (bytes[start] !== 0x7b) return false;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('"bpf_object"');
}

/**
 * Unpacks `{"bpf_object": base64(zlib(ELF)), "bpf_object_size": bytes, "meta": {…}}`.
 *
 * @throws ObjectError (OBJECT_INVALID), also for one that unpacks to another size than it says, or to more than 64 MiB
 *
 * @example
 * const { bytes } = unpackObject(readFileSync('package.json'));
 * const object = ObjectFile.parse(bytes);
 */
export function unpackObject(bytes: Uint8Array): PackagedObject {
  const { bpf_object: packed, bpf_object_size: size, meta } = parsePackage(bytes);
  if (typeof packed !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed) || packed.length % 4 !== 0)
    throw refusal('its "bpf_object" is not base64');
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1)
    throw refusal('its "bpf_object_size" is no size');
  if (size > LARGEST_OBJECT)
    throw refusal(
      `it says that it unpacks to ${String(size)} bytes, and an object has at most ${String(LARGEST_OBJECT)}`,
    );
  return { bytes: inflate(Buffer.from(packed, 'base64'), size), name: nameIn(meta) };
}

function parsePackage(bytes: Uint8Array): { readonly [field: string]: unknown } {
  if (bytes.length > LARGEST_PACKAGE)
    throw refusal(`it has ${String(bytes.length)} bytes, and at most ${String(LARGEST_PACKAGE)} are read`);
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refusal('it is not JSON', { cause });
  }
  if (typeof content !== 'object' || content === null) throw refusal('it is no JSON object');
  return content as { readonly [field: string]: unknown };
}

/** Never unpacks more than it was told, so that few bytes cannot become gigabytes. */
function inflate(packed: Uint8Array, size: number): Uint8Array {
  // Few read packages, and importing it would cost every start.
  const { inflateSync } = process.getBuiltinModule('node:zlib');
  let bytes: Uint8Array;
  try {
    bytes = inflateSync(packed, { maxOutputLength: size });
  } catch (cause) {
    const tooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw refusal(
      tooLarge
        ? `it unpacks to more than the ${String(size)} bytes that "bpf_object_size" says`
        : 'its "bpf_object" is not what zlib compresses to',
      { cause },
    );
  }
  if (bytes.length !== size)
    throw refusal(`it unpacks to ${String(bytes.length)} bytes, and "bpf_object_size" says ${String(size)}`);
  return bytes;
}

/** `meta.bpf_skel.obj_name`: libbpf names the maps of global variables by it. */
function nameIn(meta: unknown): string | undefined {
  const skeleton = fieldOf(meta, 'bpf_skel');
  const name = fieldOf(skeleton, 'obj_name');
  return typeof name === 'string' && /^[\w.-]+$/.test(name) ? name : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as { [field: string]: unknown })[name]
    : undefined;
}

function isJsonSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function refusal(why: string, context: { cause?: unknown } = {}): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot read the object package: ${why}`, {
    hint: 'a package is {"bpf_object": base64 of the zlib-compressed object, "bpf_object_size": its bytes, "meta": {…}}',
    ...context,
  });
}
