import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { veiledLine } from './veil.ts';

const SECRET = 'hB7qLw2ZrT9xKp4vNs6D';
const COVERED = 'hB7q••••••••••••••••';

/** The lines of a text as they may be shown. */
const shown = (text: string) => {
  const lines = text.split('\n');
  return lines.map((_, at) => veiledLine(lines, at));
};

describe('a line of a file', () => {
  for (const [name, line] of [
    ['a pair', `  password: ${SECRET}`],
    ['a pair in quotes', `  "apiKey": "${SECRET}",`],
    ['a pair inside braces', `data: {password: ${SECRET}, user: shop}`],
    ['an assignment', `    db.password=${SECRET}`],
    [
      'an entry of the environment',
      `  - {name: app, env: [{name: DB_PASSWORD, value: ${SECRET}}], privileged: true}`,
    ],
    ['an entry turned round', `env: [{"value":"${SECRET}","name":"DB_PASSWORD"}]`],
    ['a flag', `args: ["--token=${SECRET}"]`],
    ['a flag and its value', `args: ["--password", "${SECRET}"]`],
    ['a header', `httpHeaders: [{name: Authorization, value: "Bearer ${SECRET}"}]`],
    ['a URL', `  value: postgres://shop:${SECRET}@db/shop`],
  ] as const)
    it(`shows four characters of a secret in ${name}, and keeps every column`, () => {
      assert.equal(veiledLine([line], 0), line.replace(SECRET, COVERED));
    });

  it('is covered for what stands above or below it', () => {
    for (const text of [
      `- name: DB_PASSWORD\n  value: "${SECRET}"`,
      `- value: ${SECRET}\n  name: DB_PASSWORD`,
      `args:\n- --password\n- ${SECRET}`,
      `password: |\n  ${SECRET}\n  ${SECRET}`,
    ])
      assert.ok(!shown(text).join('\n').includes(SECRET.slice(0, 5)), text);
  });

  it('is covered by its format alone', () => {
    const token = `ghp_${'aB3dE5gH7j'.repeat(4)}`;
    assert.equal(veiledLine([`x: ${token} # y`], 0), `x: ghp_${'•'.repeat(token.length - 4)} # y`);
  });

  it('is not shown inside a private key or the content of a Secret', () => {
    const key = [
      'key: |',
      '  -----BEGIN PRIVATE KEY-----',
      '  MIIEvQIBADANBg',
      '  -----END PRIVATE KEY-----',
      'a: b',
    ];
    assert.deepEqual(shown(key.join('\n')).slice(1, 4), [undefined, undefined, undefined]);
    assert.equal(shown(key.join('\n'))[4], 'a: b');
    const secret =
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ndata:\n  x: c2VjcmV0\n---\nkind: Pod\nx: c2VjcmV0';
    const lines = shown(secret);
    assert.equal(lines[3], '  name: a');
    assert.equal(lines[5], undefined);
    assert.equal(lines.at(-1), 'x: c2VjcmV0');
  });

  it('stays as it is where it holds no secret', () => {
    for (const line of [
      'password: ${DB_PASSWORD}',
      '  - name: DB_PASSWORD',
      '    secretName: db-credentials',
      'image: registry.example.com/shop/token-service:1.4.2',
      'automountServiceAccountToken: false',
      '  - { name: TOKEN, valueFrom: { secretKeyRef: { name: shop, key: token } } }',
    ])
      assert.equal(veiledLine([line], 0), line);
  });

  it('costs little however it is made', () => {
    const start = performance.now();
    for (const line of [
      'a'.repeat(50_000),
      'a:'.repeat(25_000),
      '--a '.repeat(12_000),
      '"name":'.repeat(7_000),
      'token=a,'.repeat(6_000),
    ])
      veiledLine(Array(1_000).fill(line), 500);
    assert.ok(performance.now() - start < 5_000);
  });
});
