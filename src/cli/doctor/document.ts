import type { Check, InterfaceFindings, MachineFindings } from '../../inspect/index.ts';
import type { Json } from '../output/error-report.ts';

/** What `doctor --json` prints. */
export function doctorDocument({ verdict, checks, interfaces }: MachineFindings): Json {
  return {
    verdict: {
      can_run: verdict.canRun,
      obstacle: verdict.obstacle ?? null,
      reasons: [...verdict.reasons],
    },
    checks: checks.map(checkDocument),
    interfaces: interfaces.map(interfaceDocument),
  };
}

function checkDocument({ name, group, status, value, text, advice }: Check): Json {
  return {
    name,
    group,
    status,
    value,
    ...(text !== undefined && { text }),
    ...(advice !== undefined && { advice }),
  };
}

function interfaceDocument(findings: InterfaceFindings): Json {
  return {
    name: findings.name,
    ifindex: findings.index,
    up: findings.up,
    kind: findings.kind ?? null,
    driver: findings.driver ?? null,
    mtu: findings.mtu,
    lro: findings.largeReceiveOffload ?? null,
    native_xdp: findings.nativeXdp,
    xdp_features: findings.xdpFeatures === undefined ? null : [...findings.xdpFeatures],
    programs: findings.programs.map(({ mode, id }) => ({ mode, program_id: id })),
    checks: findings.checks.map(checkDocument),
  };
}
