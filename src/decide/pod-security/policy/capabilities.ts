/** The rule of a policy on capabilities. Source: pkg/security/podsecuritypolicy/capabilities. */
import { compareBytes, quoted } from '#kube/go-text.ts';
import type { Capabilities } from '#kube/pods.ts';
import type { Objections } from './errors.ts';
import type { PolicySpec } from './policy.ts';

export interface CapabilityRule {
  /** Whether there are containers to which something is to be added. */
  readonly completes: boolean;
  /** Whether nothing is to be added. */
  isWhole(own: Capabilities | undefined): boolean;
  /** What a container is to have that is not whole. */
  complete(own: Capabilities | undefined): Capabilities;
  /**
   * @param field the path of what is added
   * @param own as they are stated; they are judged as they would be completed
   */
  object(field: string, own: Capabilities, errors: Objections): void;
}

export function capabilityRule({
  defaultAddCapabilities,
  requiredDropCapabilities,
  allowedCapabilities,
}: PolicySpec): CapabilityRule {
  const addable = new Set([...allowedCapabilities, ...defaultAddCapabilities]);
  const any = addable.has('*') && allowedCapabilities.includes('*');
  // The lists of a policy and of a container are short: to look through them is quicker than to make sets of them.
  const isWhole = ({ add = NONE, drop = NONE }: Capabilities = {}): boolean =>
    requiredDropCapabilities.every(one => drop.includes(one)) &&
    defaultAddCapabilities.every(one => drop.includes(one) || add.includes(one));
  const complete = ({ add = NONE, drop = NONE }: Capabilities = {}): Capabilities => {
    return {
      ...sorted(
        'add',
        add,
        defaultAddCapabilities.filter(one => !drop.includes(one)),
      ),
      ...sorted('drop', drop, requiredDropCapabilities),
    };
  };
  return {
    completes: requiredDropCapabilities.length + defaultAddCapabilities.length > 0,
    isWhole,
    complete,
    object(field, own, errors) {
      if (any || own.add === undefined) return;
      let others: string[] | undefined;
      for (const one of own.add)
        if (!addable.has(one)) {
          others ??= [];
          others.push(one);
        }
      if (others === undefined) return;
      // A list that was completed is in order, and names each once. What must be dropped is: it was completed.
      const named = others.length === 1 || isWhole(own) ? others : [...new Set(others)].sort(compareBytes);
      for (const one of named) errors.invalid(field, one, quoted, 'capability may not be added');
    },
  };
}

const NONE: readonly string[] = [];

/** Each once, in the order of their bytes. */
function sorted(field: 'add' | 'drop', own: readonly string[], more: readonly string[]): Capabilities {
  if (own.length + more.length === 0) return {};
  return { [field]: [...new Set([...own, ...more])].sort(compareBytes) };
}
