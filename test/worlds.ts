/** Worlds for tests, from YAML text as a user would write it. */
import type { Check } from '#check/check.ts';
import { dedent } from '#check/page.ts';
import { asSelected, type Judged, type Selected, scan } from '#judge/scan.ts';
import type { KubeObject } from '#kube/objects.ts';
import { DocumentSource, ManifestOrigin } from '#sources/manifests/origin.ts';
import { newestMinor, World } from '#world/world.ts';
import { readDocuments } from '#yaml/read.ts';

/** The world of one file, `test.yaml`. @throws Error for YAML that cannot be read: a test's own mistake */
export function worldOf(yaml: string, kubernetesMinor = newestMinor): World {
  const text = dedent(yaml);
  const declared = readDocuments(text).flatMap(document => {
    if (document.is === 'error') throw new Error(`line ${document.line}: ${document.message}`);
    if (document.is === 'empty') return [];
    const origin = new ManifestOrigin(new DocumentSource('test.yaml', text, document));
    const duplicateKeys = document.duplicateKeys.map(({ path }) => path);
    return [{ object: document.value as KubeObject, origin, duplicateKeys }];
  });
  return new World({ declared, kubernetesMinor });
}

/** A check configured as its examples want it. */
export function exampleOf(check: Check): Selected {
  const selected = asSelected(check);
  return { ...selected, options: { ...selected.options, ...check.examples.options } };
}

/** What one check says of a file. */
export function judge(check: Check, yaml: string): Judged {
  return scan(worldOf(yaml, check.examples.kubernetes), [exampleOf(check)]);
}

/** What one check says of a file, as verdict words: `fail: message`, `unknown: reason`, or nothing. */
export function said(check: Check, yaml: string): string[] {
  const { findings, unknowns } = judge(check, yaml);
  return [
    ...findings.map(({ line, message }) => `fail ${line}: ${message}`),
    ...unknowns.map(({ line, reason }) => `unknown ${line}: ${reason}`),
  ];
}
