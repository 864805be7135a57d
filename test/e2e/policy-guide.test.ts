/** The guide on the way off PodSecurityPolicy shows what the program prints. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const root = resolve(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/guides/from-podsecuritypolicy-to-labels.md'), 'utf8');

describe('the guide on the way off PodSecurityPolicy', () => {
  const [app = '', shop = ''] = [...guide.matchAll(/^```yaml\n([\s\S]*?\n)```$/gm)].map(([, text]) => text!);
  const shown = [...guide.matchAll(/^```\n\$ sallyport (.*)\n([\s\S]*?\n)```$/gm)].map(
    ([, command, text]) => [command!, text!] as const,
  );
  // Istio's sample policy is not part of this repository, and its long lines are cut.
  const own = shown.filter(([command]) => !command.includes('sidecar-psp.yaml'));

  it('has files and commands', () => {
    assert.match(app, /kind: PodSecurityPolicy/);
    assert.match(shop, /kind: Namespace/);
    assert.deepEqual([shown.length, own.length], [4, 3]);
  });

  for (const [command, text] of own)
    it(command, () => {
      const { out, err } = run(folderOf({ 'app.yaml': app, 'shop.yaml': shop }), command.split(' '));
      assert.equal((out + err).trimEnd(), text.trimEnd());
    });
});
