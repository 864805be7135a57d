/** The rule of a policy on capabilities. Source: pkg/security/podsecuritypolicy/capabilities. */
import { compareBytes, quoted } from '#kube/go-text.ts';
import type { Capabilities } from '#kube/pods.ts';
import { type FieldError, goList, invalid } from './errors.ts';
import type { PolicySpec } from './policy.ts';

export interface CapabilityRule {
  /** What a container is to have; its own where nothing is to be added. */
  complete(own: Capabilities | undefined): Capabilities | undefined;
  objections(field: string, own: Capabilities | undefined): FieldError[];
}

export function capabilityRule({
  defaultAddCapabilities,
  requiredDropCapabilities,
  allowedCapabilities,
}: PolicySpec): CapabilityRule {
  const addable = new Set([...allowedCapabilities, ...defaultAddCapabilities]);
  const any = allowedCapabilities.includes('*');
  const completed = (own: Capabilities | undefined): Capabilities | undefined => {
    const added = new Set(own?.add);
    const dropped = new Set(own?.drop);
    const allAdded = new Set([...defaultAddCapabilities.filter(one => !dropped.has(one)), ...added]);
    const allDropped = new Set([...requiredDropCapabilities, ...dropped]);
    if (allAdded.size === added.size && allDropped.size === dropped.size) return own;
    return { ...sorted('add', allAdded), ...sorted('drop', allDropped) };
  };
  // Most containers state none.
  const alone = completed(undefined);
  return {
    complete: own => (own === undefined ? alone : completed(own)),
    objections(field, own) {
      if (own === undefined || any) return [];
      const drops = own.drop ?? [];
      return [
        ...(own.add ?? [])
          .filter(one => !addable.has(one))
          .map(one => invalid(`${field}.add`, quoted(one), 'capability may not be added')),
        ...requiredDropCapabilities
          .filter(one => !drops.includes(one))
          .map(one =>
            invalid(
              `${field}.drop`,
              goList('core.Capability', own.drop),
              `${one} is required to be dropped but was not found`,
            ),
          ),
      ];
    },
  };
}

function sorted(field: 'add' | 'drop', capabilities: ReadonlySet<string>): Capabilities {
  return capabilities.size === 0 ? {} : { [field]: [...capabilities].sort(compareBytes) };
}
