/** The guides to zero trust and to strict mutual TLS show what happens: their files and commands, one after the other. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { follow, root } from './guide.ts';
import { folderOf } from './program.ts';

describe('the guides of the mesh', () => {
  for (const name of ['zero-trust-in-an-afternoon.md', 'from-permissive-to-strict-mtls.md'])
    it(name, () => {
      const folder = folderOf({});
      cpSync(join(root, 'examples/online-shop'), join(folder, 'online-shop'), { recursive: true });
      assert.ok(follow(name, folder) >= 4);
    });
});
