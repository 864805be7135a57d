/** The kinds of changes that are for the worse although no check fails: what each is, why it matters, what to do. */
import type { CheckDescription } from '#check/finding.ts';
import type { Practice } from '#check/practices.ts';
import type { Severity } from '#check/severity.ts';

const kinds = {
  'cicd/weakened-guard': [
    'high',
    'Guard removed or weakened',
    'What it kept out comes in now, and nothing else says so.',
    'Put it back, or have whoever answers for it agree to the change.',
  ],
  'cicd/new-exception': [
    'medium',
    'Exception added or widened',
    'From now on the gate is silent about what it covers.',
    'Have somebody other than its author read its reason, scope and end.',
  ],
  'pod-security/lowered-level': [
    'high',
    'Lower Pod Security level',
    'The pod or namespace takes more liberties with its node than before.',
    'Keep the fields that met the level, or say why they had to go.',
  ],
  'cicd/changed-image': [
    'medium',
    'Image from elsewhere, or no longer pinned',
    'Other people decide what runs, or it may change without a change here.',
    'Name a registry that you trust, and a digest.',
  ],
  'authorization/new-identity': [
    'medium',
    'Workload with another identity',
    'What it may do in the cluster is now what that account may do.',
    'Look at the permissions of the account: sallyport authorization permissions.',
  ],
  'authorization/gained-permission': [
    'medium',
    'Permission gained',
    'Somebody may do what nobody needed so far.',
    'Grant the verbs and resources that are used, and no others.',
  ],
  'authorization/new-escalation': [
    'critical',
    'New way up',
    'Step by step, who holds these permissions takes what nobody gave them.',
    'Take away one step: sallyport authorization escalations names the fewest bindings.',
  ],
  'pod-security/new-access': [
    'low',
    'Secret or volume newly in reach',
    'Whoever gets into the container has it too.',
    'Mount what the program needs, where it needs it.',
  ],
  'mesh/opened-connection': [
    'medium',
    'Connection opened',
    'An intruder in the one reaches the other.',
    'Allow it by ports and labels as narrow as the need.',
  ],
  'mesh/lost-encryption': [
    'high',
    'Connection no longer encrypted',
    'Whoever sees the network reads along, and may pretend to be the other side.',
    'Keep mutual TLS on both sides, or TLS at the entry.',
  ],
  'mesh/new-exposure': [
    'medium',
    'Reachable from outside',
    'Everybody who can reach the entry can try the workload.',
    'Confine the sources, ask for authentication before it, or keep it inside.',
  ],
} as const satisfies Record<string, readonly [Severity, string, string, string]>;

export type ChangeKind = keyof typeof kinds;

export function kindOf(id: ChangeKind): CheckDescription {
  const [severity, title, why, remediation] = kinds[id];
  const practice = id.slice(0, id.indexOf('/')) as Practice;
  return { id, practice, title, severity, why, remediation, frameworks: [], since: '0.1.0' };
}

export const changeKinds: readonly CheckDescription[] = (Object.keys(kinds) as ChangeKind[]).map(kindOf);
