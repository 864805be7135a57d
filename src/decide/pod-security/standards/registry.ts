/** Which controls hold at which level and version. Source: policy/registry.go. */
import { compareBytes } from '#kube/go-text.ts';
import type { Control, Revision } from './check.ts';
import {
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  windowsHostProcess,
} from './host.ts';
import { runAsNonRoot, runAsUser } from './identity.ts';
import {
  allowPrivilegeEscalation,
  capabilitiesBaseline,
  capabilitiesRestricted,
  privileged,
  procMount,
  procMountRestricted,
} from './privileges.ts';
import { appArmorProfile, seccompBaseline, seccompRestricted, seLinuxOptions } from './profiles.ts';
import { sysctls } from './sysctls.ts';
import { restrictedVolumes } from './volumes.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** The newest minor version that changed anything: newer versions, and `latest`, are judged as this one. */
export const NEWEST = 37;

const controls: readonly Control[] = [
  allowPrivilegeEscalation,
  appArmorProfile,
  capabilitiesBaseline,
  capabilitiesRestricted,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  privileged,
  procMount,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seLinuxOptions,
  seccompBaseline,
  seccompRestricted,
  sysctls,
  windowsHostProcess,
];

export interface Active {
  readonly control: Control;
  readonly revision: Revision;
}

const tables = new Map<string, readonly Active[]>();

/**
 * The controls of a level at a version, in the order in which they are reported: baseline before restricted, by id.
 *
 * @param minor of Kubernetes 1; newer ones than {@link NEWEST} are judged as that
 */
export function controlsOf(level: Level, minor: number): readonly Active[] {
  const version = Math.min(minor, NEWEST);
  const key = `${level}:${version}`;
  let table = tables.get(key);
  if (table === undefined) {
    table = compute(level, version);
    tables.set(key, table);
  }
  return table;
}

function compute(level: Level, minor: number): readonly Active[] {
  if (level === 'privileged') return [];
  const active = (of: Level): Active[] =>
    controls
      .filter(control => control.level === of)
      .toSorted((a, b) => compareBytes(a.id, b.id))
      .flatMap(control => {
        const revision = control.revisions.findLast(({ since }) => since <= minor);
        return revision === undefined ? [] : [{ control, revision }];
      });
  if (level === 'baseline') return active('baseline');
  const restricted = active('restricted');
  const overridden = new Set(restricted.flatMap(({ revision }) => revision.overrides ?? []));
  return [...active('baseline').filter(({ control }) => !overridden.has(control.id)), ...restricted];
}
