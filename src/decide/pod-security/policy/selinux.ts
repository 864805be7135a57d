/** The rule of a policy on SELinux labels. Source: pkg/security/podsecuritypolicy/selinux. */
import { compareBytes, quoted } from '#kube/go-text.ts';
import type { SELinuxOptions } from '#kube/pods.ts';
import { type FieldError, invalid } from './errors.ts';
import { UnusablePolicyError } from './ids.ts';
import type { PolicySpec } from './policy.ts';

export interface SELinuxRule {
  /** The options of pods that have none. */
  readonly preset: SELinuxOptions | undefined;
  objections(field: string, options: SELinuxOptions | undefined): FieldError[];
}

export function selinuxRule({ rule, seLinuxOptions: demanded }: PolicySpec['seLinux']): SELinuxRule {
  if (rule === 'RunAsAny') return { preset: undefined, objections: () => [] };
  if (rule !== 'MustRunAs')
    throw new UnusablePolicyError(`Unrecognized SELinuxContext strategy type ${rule}`);
  if (demanded === undefined) throw new UnusablePolicyError('MustRunAs requires SELinuxOptions');
  return {
    preset: demanded,
    objections: (field, options) =>
      (['level', 'role', 'type', 'user'] as const).flatMap(part => {
        const wanted = demanded[part] ?? '';
        const given = options?.[part] ?? '';
        const isSame = part === 'level' ? areEqualLevels(wanted, given) : wanted === given;
        return isSame ? [] : [invalid(`${field}.${part}`, quoted(given), `must be ${wanted}`)];
      }),
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
