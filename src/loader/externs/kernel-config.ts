import { ObjectError } from '../../errors.ts';
import type { Btf } from '../../btf/index.ts';
import {
  KERNEL_CONFIG_SECTION,
  type ExternPlace,
  type ExternSpec,
  type ObjectFile,
} from '../../elf/index.ts';
import type { Kernel } from '../../sys/index.ts';
import { encodeNumber, encodeSetting, settingType, type Encoded, type SettingType } from './config-value.ts';
import { kernelConfigPaths, readKernelConfig } from './kernel-config-text.ts';
import { virtualSetting } from './virtual-settings.ts';

export interface KernelConfigSource {
  readonly kernel: Kernel;
  /** Lines `CONFIG_NAME=value` that come before what the running kernel says. */
  readonly text: string | undefined;
  /** @default where kernels and distributions put them */
  readonly paths?: readonly string[];
}

interface Setting {
  readonly extern: ExternSpec;
  readonly type: SettingType;
  readonly place: ExternPlace;
}

const OPTION = /^CONFIG_/;

/**
 * The first contents of the map `.kconfig`: each setting that an object asks for, as this kernel has it, and zero for
 * a weak one that it does not have. The kernel's file is read only where the given text leaves something open.
 *
 * @throws ObjectError for a strong setting that is nowhere, and for a value that does not fit its variable; FileError
 */
export function kernelConfigContents(object: ObjectFile, source: KernelConfigSource): Uint8Array | undefined {
  const { btf, maps } = object;
  const size = maps.get(KERNEL_CONFIG_SECTION)?.valueSize;
  if (!btf || size === undefined) return undefined;
  const settings = settingsOf(object, btf);
  const options = settings.filter(({ extern }) => OPTION.test(extern.name));
  const paths = source.paths ?? kernelConfigPaths();
  const values = optionValues(options, { text: source.text, paths });
  const contents = new Uint8Array(size);
  for (const setting of settings) {
    const { extern, place } = setting;
    const encoded = OPTION.test(extern.name)
      ? encodeOption(setting, { value: values.get(extern.name), paths })
      : encodeVirtual(setting, source.kernel);
    if (encoded) contents.set(encoded, place.offset);
  }
  return contents;
}

function settingsOf(object: ObjectFile, btf: Btf): Setting[] {
  return [...object.externs.values()].flatMap((extern): Setting[] => {
    const { place, typeId } = extern;
    if (!place || typeId === undefined) return [];
    const type = settingType(btf, typeId);
    if (!type) throw refuse(extern, 'its type is none of bool, char, integer, libbpf_tristate and char[]');
    return [{ extern, type, place }];
  });
}

/** By name: from the caller's text, and what that leaves open from the first file that is there. */
function optionValues(
  options: readonly Setting[],
  { text, paths }: { text: string | undefined; paths: readonly string[] },
): Map<string, string> {
  const wanted = new Set(options.map(({ extern }) => extern.name));
  const values = new Map<string, string>();
  if (text !== undefined) {
    checkLines(text);
    takeValues(values, { wanted, text });
  }
  if ([...wanted].every((name) => values.has(name))) return values;
  const ofKernel = readKernelConfig(paths);
  if (ofKernel !== undefined) takeValues(values, { wanted, text: ofKernel });
  return values;
}

/** The first line of a name counts. Looks for the few lines that are wanted among the kernel's thousands. */
function takeValues(
  values: Map<string, string>,
  { wanted, text }: { wanted: ReadonlySet<string>; text: string },
): void {
  for (const name of wanted) {
    const value = values.has(name) ? undefined : valueOf(name, text);
    if (value === '') throw withoutValue(`${name}=`);
    if (value !== undefined) values.set(name, value);
  }
}

function valueOf(name: string, text: string): string | undefined {
  const beginning = `${name}=`;
  const isFirst = text.startsWith(beginning);
  const line = isFirst ? 0 : text.indexOf(`\n${beginning}`) + 1;
  if (line === 0 && !isFirst) return undefined;
  const end = text.indexOf('\n', line);
  return text.slice(line + beginning.length, end < 0 ? undefined : end);
}

/** Of the caller's text: a slip of the pen would pass for a setting that the kernel lacks. */
function checkLines(text: string): void {
  const [line] = /^CONFIG_[^=\n]*=?$/m.exec(text) ?? [];
  if (line !== undefined) throw withoutValue(line);
}

function withoutValue(line: string): ObjectError {
  return new ObjectError(
    'RELOCATION_FAILED',
    `Cannot read the kernel's settings: the line "${line}" has no value`,
  );
}

function encodeOption(
  { extern, type }: Setting,
  { value, paths }: { value: string | undefined; paths: readonly string[] },
): Uint8Array | undefined {
  if (value !== undefined) return accepted(extern, { value, encoded: encodeSetting(type, value) });
  if (extern.weak) return undefined;
  throw refuse(extern, `this kernel has no such setting (looked into ${paths.join(', ')})`, {
    hint: 'declare it __weak to get zero, or give its value with the option "kernelConfig"',
  });
}

function encodeVirtual({ extern, type }: Setting, kernel: Kernel): Uint8Array | undefined {
  const value = virtualSetting(extern.name, kernel);
  if (value !== undefined)
    return accepted(extern, { value: String(value), encoded: encodeNumber(type, value) });
  if (extern.weak && extern.name.startsWith('LINUX_')) return undefined;
  throw refuse(extern, 'settings are named CONFIG_…, and of those named LINUX_… it is none that is known');
}

function accepted(extern: ExternSpec, { value, encoded }: { value: string; encoded: Encoded }): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded;
  throw refuse(extern, `its value ${value} ${encoded.refused}`);
}

function refuse({ name }: ExternSpec, why: string, context: { hint?: string } = {}): ObjectError {
  return new ObjectError('RELOCATION_FAILED', `Cannot resolve extern ${name}: ${why}`, {
    section: KERNEL_CONFIG_SECTION,
    ...context,
  });
}
