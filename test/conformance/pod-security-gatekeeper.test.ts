/**
 * What Gatekeeper's library offers in the place of PodSecurityPolicy, written as profiles of one's own: they must say of
 * the library's own samples what its suites expect.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { evaluateProfile, readProfiles } from '#decide/pod-security/custom/custom.ts';
import { withDefaults } from '#decide/pod-security/defaults.ts';
import { decodePod } from '#kube/decode.ts';
import { isRecord } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';
import { readDocuments } from '#yaml/read.ts';

interface Suite {
  readonly tests: readonly {
    readonly constraint: string;
    readonly cases: readonly {
      readonly name: string;
      readonly object: string;
      readonly assertions: readonly { readonly violations: unknown }[];
    }[];
  }[];
}

type Parameters = Readonly<Record<string, unknown>>;

/** The profile that asks what a constraint of a folder asks. */
function specOf(folder: string, given: Parameters): object | undefined {
  switch (folder) {
    case 'allow-privilege-escalation':
      return { allowPrivilegeEscalation: false };
    case 'apparmor':
      return { appArmor: { allowed: ['RuntimeDefault', 'Localhost/*'] } };
    case 'capabilities':
    case 'volumes':
      return given;
    case 'fsgroup':
      // Without a rule the library asks nothing; MustRunAs without ranges is no profile that anybody could keep.
      if (given['rule'] === undefined) return {};
      return (given['ranges'] as unknown[]).length === 0 ? undefined : { fsGroup: given };
    case 'host-filesystem':
      return { allowedHostPaths: given['allowedHostPaths'] ?? [] };
    case 'host-namespaces':
      return { hostPID: false, hostIPC: false };
    case 'host-network-ports': {
      const { hostNetwork, min, max } = given;
      return { hostNetwork, ...(min === undefined ? {} : { hostPorts: [{ min, max }] }) };
    }
    case 'host-process':
      return { windows: { hostProcess: false } };
    case 'privileged-containers':
      return { privileged: false };
    case 'read-only-root-filesystem':
      return { readOnlyRootFilesystem: true };
    case 'seccompv2': {
      const words = (given['allowedProfiles'] as string[]).map(word =>
        word === 'Localhost' ? 'Localhost/*' : word === 'not configured' ? 'Unset' : word,
      );
      return { seccomp: { allowed: words } };
    }
    default:
      return undefined;
  }
}

withShared('conformance/gatekeeper/pod-security-policy', root => {
  const read = (path: string): unknown => {
    const [document] = readDocuments(readFileSync(path, 'utf8')).filter(({ is }) => is === 'value');
    return document?.is === 'value' ? document.value : undefined;
  };
  for (const file of globSync('*/suite.yaml', { cwd: root }).sort())
    it(`says what the suite of ${dirname(file)} expects`, () => {
      const folder = dirname(file);
      let judged = 0;
      for (const { constraint, cases } of (read(join(root, file)) as Suite).tests) {
        const object = read(join(root, folder, constraint));
        const parameters =
          isRecord(object) && isRecord(object['spec']) ? (object['spec']['parameters'] ?? {}) : {};
        const { exemptImages: _, ...given } = parameters as Parameters;
        const spec = specOf(folder, given);
        if (spec === undefined) continue;
        const [profile] = readProfiles([{ name: 'p', reason: 'r', extends: 'privileged', spec }], () => true);
        for (const { name, object: path, assertions } of cases) {
          // Exempted images, and reviews of updates, are Gatekeeper's own.
          if (/exempt|update|wildcard/.test(`${name} ${path} ${constraint}`)) continue;
          const pod = read(join(root, folder, path));
          if (!isRecord(pod) || pod['kind'] !== 'Pod') continue;
          const violations = assertions.some(
            ({ violations }) => violations === true || Number(violations) > 0,
          );
          const { metadata, spec } = pod;
          const { breaches } = evaluateProfile(profile!, withDefaults(decodePod({ metadata, spec })));
          assert.equal(breaches.length > 0, violations, `${folder}/${path}: ${JSON.stringify(breaches)}`);
          judged++;
        }
      }
      assert.ok(judged > 0);
    });
});
