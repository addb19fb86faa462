/** Everything that reads what others have written: where it is, and which targets feed it. */
export interface Parser {
  readonly reads: string;
  /** Files and folders below src. */
  readonly places: readonly string[];
  readonly targets: readonly string[];
}

export const parsers: readonly Parser[] = [
  { reads: 'ELF objects: headers, sections, symbols, relocations, maps, variables, functions', places: ['elf/btf-maps.ts', 'elf/container.ts', 'elf/data-sections.ts', 'elf/event-anchors.ts', 'elf/exception-callbacks.ts', 'elf/externs.ts', 'elf/functions.ts', 'elf/header.ts', 'elf/instruction-relocations.ts', 'elf/legacy-maps.ts', 'elf/map-spec.ts', 'elf/object-file.ts', 'elf/object-parts.ts', 'elf/references.ts', 'elf/relocations.ts', 'elf/section-names.ts', 'elf/struct-ops.ts', 'elf/symbols.ts', 'elf/variable-spec.ts'], targets: ['elf'] },
  { reads: 'programs and libraries: functions, versions, USDT notes', places: ['elf/executable'], targets: ['executable'] },
  { reads: 'arguments of USDT probes', places: ['link/usdt-arguments.ts'], targets: ['executable', 'arguments'] },
  { reads: 'BTF: header, types, strings, names, layouts', places: ['btf/btf.ts', 'btf/header.ts', 'btf/scan.ts', 'btf/decode.ts', 'btf/type-index.ts', 'btf/name-index.ts', 'btf/string-table.ts', 'btf/resolve.ts', 'btf/fields.ts', 'btf/format-type.ts', 'btf/kind-layout.ts'], targets: ['btf', 'elf', 'btf-raw', 'btf-dedup'] },
  { reads: 'values of types, as bytes, JSON and text', places: ['btf/array-codec.ts', 'btf/codec.ts', 'btf/integer-codec.ts', 'btf/parse-value.ts', 'btf/scalar-codec.ts', 'btf/struct-codec.ts', 'btf/value.ts', 'btf/whole-value.ts', 'btf/mismatch.ts'], targets: ['btf', 'elf', 'value'] },
  { reads: 'BTF.ext', places: ['btf/btf-ext.ts'], targets: ['btf-ext', 'elf'] },
  { reads: 'CO-RE relocations', places: ['btf/core'], targets: ['elf', 'btf-ext'] },
  { reads: 'types as C', places: ['btf/dump-c'], targets: ['btf', 'elf'] },
  { reads: "types and values in bpftool's form", places: ['btf/dump-raw', 'cli/map/bpftool-value.ts'], targets: ['btf-raw'] },
  { reads: 'BTF put together and deduplicated', places: ['btf/dedup', 'btf/string-pool.ts', 'btf/type-words.ts'], targets: ['btf-dedup'] },
  { reads: 'instructions, and their text', places: ['asm'], targets: ['instructions', 'asm', 'elf'] },
  { reads: 'what an object needs of a kernel', places: ['loader/needed-kernel', 'cli/inspect/report.ts', 'cli/inspect/text.ts'], targets: ['elf'] },
  { reads: 'types and names for generated modules', places: ['gen'], targets: ['elf'] },
  { reads: "how programs share an interface, and a dispatcher's configuration", places: ['dispatcher/run-config.ts', 'dispatcher/configuration.ts'], targets: ['elf', 'dispatcher'] },
  { reads: "the kernel's settings", places: ['loader/externs/kernel-config.ts', 'loader/externs/config-value.ts'], targets: ['settings', 'kernel-text'] },
  { reads: '/proc/kallsyms', places: ['loader/externs/kernel-symbols.ts', 'inspect/objects/kernel-symbols.ts'], targets: ['kallsyms'] },
  { reads: 'logs of the verifier', places: ['loader/verifier-log.ts', 'loader/verifier-classic-log.ts', 'loader/verifier-diagnostics.ts', 'loader/verifier-rules.ts', 'loader/verifier-statistics.ts'], targets: ['verifier-log', 'kernel-text'] },
  { reads: 'netlink: messages, attributes, interfaces, addresses, qdiscs, filters', places: ['netlink/message.ts', 'netlink/attributes.ts', 'netlink/interface.ts', 'netlink/addresses.ts', 'netlink/bpf-filters.ts', 'netlink/qdiscs.ts'], targets: ['netlink'] },
  { reads: 'BPF ring buffers', places: ['ringbuf/ring-memory.ts'], targets: ['ring'] },
  { reads: 'rings of perf events', places: ['ringbuf/perf-memory.ts'], targets: ['perf-ring'] },
  { reads: 'events of the sniffer, and bytes of packets', places: ['sniffer/simple-event.ts', 'sniffer/payload-analysis.ts', 'sniffer/bitcoin-address.ts', 'sniffer/onion-address.ts', 'sniffer/executable-header.ts', 'sniffer/entropy.ts', 'sniffer/event-text.ts'], targets: ['event'] },
  { reads: 'configuration files of the sniffer', places: ['sniffer/configuration-file.ts', 'sniffer/configuration-filter.ts', 'sniffer/configuration-difference.ts', 'sniffer/deployment-form.ts', 'sniffer/interfaces-form.ts', 'sniffer/interface-name.ts', 'json/json-object.ts', 'json/parse-json.ts'], targets: ['configuration'] },
  { reads: 'rules of the policy firewall', places: ['policy/rules-file.ts', 'policy/rule-input.ts'], targets: ['configuration'] },
  { reads: 'mounts, descriptors and memory in /proc; identifiers in tracefs; the trace pipe', places: ['inspect/holders/mounts.ts', 'inspect/objects/map-details.ts', 'inspect/trace-line.ts', 'link/cgroup-path.ts', 'link/tracefs.ts', 'cli/token/show.ts', 'sys/cpus.ts'], targets: ['proc'] },
  { reads: 'what doctor looks at', places: ['inspect/machine-kernel.ts', 'inspect/machine-mounts.ts', 'inspect/machine-settings.ts'], targets: ['kernel-text'] },
  { reads: 'machine code as objdump prints it', places: ['cli/prog/machine-code.ts'], targets: ['proc'] },
  { reads: 'options and values of the command line, addresses, batches of commands', places: ['cli/parse-option.ts', 'cli/map/byte-words.ts', 'cli/batch/run.ts', 'maps/ip-prefix.ts', 'netlink/ip-address.ts', 'netlink/mac-address.ts'], targets: ['arguments'] },
  { reads: 'names that are being typed at the prompt', places: ['repl/completion.ts'], targets: ['arguments'] },
]; // prettier-ignore
