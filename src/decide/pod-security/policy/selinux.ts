/** The rule of a policy on SELinux labels. Source: pkg/security/podsecuritypolicy/selinux. */
import { compareBytes, quoted } from '#kube/go-text.ts';
import type { SELinuxOptions } from '#kube/pods.ts';
import type { Objections } from './errors.ts';
import { UnusablePolicyError } from './ids.ts';
import type { PolicySpec } from './policy.ts';

export interface SELinuxRule {
  /** The options of pods that have none. */
  readonly preset: SELinuxOptions | undefined;
  object(field: string, options: SELinuxOptions | undefined, errors: Objections): void;
}

const PARTS = ['level', 'role', 'type', 'user'] as const;

export function selinuxRule({ rule, seLinuxOptions: demanded }: PolicySpec['seLinux']): SELinuxRule {
  if (rule === 'RunAsAny') return { preset: undefined, object: () => {} };
  if (rule !== 'MustRunAs')
    throw new UnusablePolicyError(`Unrecognized SELinuxContext strategy type ${rule}`);
  if (demanded === undefined) throw new UnusablePolicyError('MustRunAs requires SELinuxOptions');
  return {
    preset: demanded,
    object(field, options, errors) {
      // What the policy itself has given to the pod.
      if (options === demanded) return;
      for (const part of PARTS) {
        const wanted = demanded[part] ?? '';
        const given = options?.[part] ?? '';
        const isSame = part === 'level' ? areEqualLevels(wanted, given) : wanted === given;
        if (!isSame) errors.invalid(`${field}.${part}`, given, quoted, `must be ${wanted}`);
      }
    },
  };
}

/** The sensitivities are the same, and so are the categories in whatever order. */
function areEqualLevels(a: string, b: string): boolean {
  if (a === b) return true;
  const [colonA, colonB] = [a.indexOf(':'), b.indexOf(':')];
  if (colonA < 0 || colonB < 0 || a.slice(0, colonA) !== b.slice(0, colonB)) return false;
  return categoriesOf(a.slice(colonA + 1)) === categoriesOf(b.slice(colonB + 1));
}

function categoriesOf(text: string): string {
  return text.split(',').sort(compareBytes).join(',');
}
