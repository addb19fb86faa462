import type { Check, CheckStatus, MachineFindings, MachineVerdict } from '../../inspect/index.ts';

/** SGR parameters of ECMA-48. */
const colorOf: Readonly<Record<CheckStatus, string>> = { ok: '32', warning: '33', missing: '31', info: '36' };
const bold = '1';

interface Style {
  readonly colors: boolean;
}

/** One aligned line for each check, advice below it, the verdict last. */
export function doctorText({ verdict, checks, interfaces }: MachineFindings, style: Style): string {
  const all = [...checks, ...interfaces.flatMap((device) => device.checks)];
  const statusWidth = Math.max(...all.map(({ status }) => status.length));
  const nameWidth = Math.max(...all.map(({ name }) => name.length));
  const lines: string[] = [];
  let group: string | undefined;
  for (const check of all) {
    if (check.group !== group) {
      if (group !== undefined) lines.push('');
      lines.push(paint(check.group, { ...style, code: bold }));
      group = check.group;
    }
    lines.push(...checkLines(check, { ...style, statusWidth, nameWidth }));
  }
  return [...lines, '', ...verdictLines(verdict, style)].join('\n');
}

function checkLines(check: Check, layout: Style & { statusWidth: number; nameWidth: number }): string[] {
  const { name, status, advice } = check;
  // Padded before it is painted: escape sequences have no width on the terminal.
  const label = paint(status.padEnd(layout.statusWidth), { ...layout, code: colorOf[status] });
  const line = `${label}  ${name.padEnd(layout.nameWidth)}  ${check.text ?? valueText(check.value)}`;
  if (advice === undefined) return [line];
  return [line, `${' '.repeat(layout.statusWidth + 2)}${advice}`];
}

function valueText(value: Check['value']): string {
  if (value === null) return 'unknown';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

function verdictLines({ canRun, reasons }: MachineVerdict, style: Style): string[] {
  if (canRun) {
    const line = 'Programs can be loaded, attached with XDP, and their events streamed on this machine.';
    return [paint(line, { ...style, code: colorOf.ok })];
  }
  const line = 'Programs cannot be loaded, attached with XDP and streamed from like this:';
  return [paint(line, { ...style, code: colorOf.missing }), ...reasons.map((reason) => `  ${reason}`)];
}

function paint(text: string, { colors, code }: Style & { code: string }): string {
  return colors ? `\u001b[${code}m${text}\u001b[0m` : text;
}
