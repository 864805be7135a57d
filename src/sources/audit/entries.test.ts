/** What is read of an entry by its bytes is what `JSON.parse` would have told, or nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { auditEventsOf } from '#kube/audit.ts';
import { Entries } from './entries.ts';

const EVENT = {
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'RequestResponse',
  auditID: '6f0d',
  stage: 'ResponseComplete',
  requestURI: '/api/v1/namespaces/shop/pods?limit=500&resourceVersion=0',
  verb: 'list',
  user: {
    username: 'jane "the" ünïcode',
    uid: '1',
    groups: ['a', 'system:authenticated'],
    extra: { k: ['v'] },
  },
  impersonatedUser: { username: 'bob', groups: ['ops'], uid: '7', extra: { scopes: ['x', 'y'] } },
  authenticationMetadata: { impersonationConstraint: 'impersonate:user-info' },
  sourceIPs: ['10.0.0.1'],
  userAgent: 'kubectl/v1.34 \\ \u2028 "quoted"',
  objectRef: { resource: 'pods', namespace: 'shop', name: 'a', apiVersion: 'v1', resourceVersion: '12' },
  responseStatus: { metadata: {}, status: 'Success', code: 200 },
  requestObject: {
    roleRef: { kind: 'Role', name: 'r' },
    spec: { signerName: 's', n: 15, deep: [[{}], null, true] },
  },
  responseObject: { verb: 'get', user: { username: 'nobody' } },
  requestReceivedTimestamp: '2026-11-25T10:00:00.000000Z',
  annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': 'by "x"' },
};

/** As Go writes it: with `<`, `>` and `&` escaped. */
const asGo = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&]/g, one => `\\u00${one.charCodeAt(0).toString(16)}`);

const read = (text: string | Buffer): ReturnType<Entries['eventOf']> => {
  const bytes = Buffer.from(text as string);
  return new Entries().eventOf(bytes, 0, bytes.length);
};

/** What an entry is by the long way; undefined where that is not exactly one event. */
function parsed(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const events = auditEventsOf(value);
  return events.length === 1 ? events[0] : undefined;
}

/** What is answered must be what the long way answers; no answer is always right. */
function agrees(text: string): boolean {
  const event = read(text);
  if (event === undefined) return false;
  assert.deepEqual(event, parsed(text), text);
  return true;
}

const usual = fc.constantFrom(...Object.keys(EVENT), 'message', 'protoPayload', '__proto__');
/** What makes an entry another thing than an entry. */
const odd = fc.constantFrom('items', 'Records', 'Data', '\\u0076erb');

/** Objects with the members of an entry, in any order, with values of their own kind or of another. */
const entries = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: odd }),
      fc.oneof(
        { weight: 8, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
        {
          weight: 1,
          arbitrary: fc.constantFrom('get', 'create', '', { code: 201 }, { username: 'x' }, [], {}),
        },
      ),
    ),
    { minLength: 4, maxLength: 24 },
  )
  .map(list => {
    const members = list.map(
      ([key, value]) => `"${key}":${asGo(value ?? (EVENT as Record<string, unknown>)[key] ?? null)}`,
    );
    return `{${members.join(',')}}`;
  });

describe('entries of an audit log', () => {
  it('are read by their bytes as JSON.parse reads them', () => {
    for (const text of [
      asGo(EVENT),
      JSON.stringify(EVENT, null, 2),
      ` \t${asGo(EVENT)} \r`,
      asGo({ ...EVENT, verb: 'create', objectRef: { resource: 'rolebindings', namespace: 'shop' } }),
    ])
      assert.ok(agrees(text), text);
  });
  it('say the same as the same object', () => {
    const usual = new Entries();
    const of = (event: object) => {
      const bytes = Buffer.from(asGo({ ...event, requestObject: {} }));
      return usual.eventOf(bytes, 0, bytes.length);
    };
    assert.equal(of(EVENT), of({ ...EVENT, auditID: 'another', userAgent: 'curl' }));
    assert.notEqual(of(EVENT), of({ ...EVENT, verb: 'get' }));
  });
  it('of any shape are read as JSON.parse reads them, or left to it', () => {
    let answered = 0;
    fc.assert(
      fc.property(entries, text => {
        if (agrees(text)) answered++;
      }),
      { numRuns: 3000 },
    );
    assert.ok(answered > 40, `${answered}`);
  });
  it('that are broken anywhere are never answered', () => {
    const whole = Buffer.from(asGo({ ...EVENT, requestObject: { a: [1, null, { b: '\n' }] } }));
    assert.ok(read(whole) !== undefined);
    // Cut off, a byte lost, a byte more, another byte: of each place.
    for (let at = 0; at < whole.length; at++) {
      assert.equal(read(whole.subarray(0, at)), undefined);
      const [before, after] = [whole.subarray(0, at), whole.subarray(at + 1)];
      for (const changed of [
        Buffer.concat([before, after]),
        ...['"', '\\', '{', '}', ',', ':', '0', '-', ' ', '\n', '\xff', 'n'].flatMap(byte => [
          Buffer.concat([before, Buffer.from(byte, 'latin1'), after]),
          Buffer.concat([before, Buffer.from(byte, 'latin1'), whole.subarray(at)]),
        ]),
      ]) {
        const event = read(changed);
        if (event !== undefined) assert.deepEqual(event, parsed(changed.toString()), changed.toString());
      }
    }
  });
  it('do not depend on what stands around them', () => {
    const text = asGo({ ...EVENT, requestObject: {} });
    const bytes = Buffer.from(`x${text}"}]}`);
    const usual = new Entries();
    assert.deepEqual(usual.eventOf(bytes, 1, 1 + Buffer.byteLength(text)), parsed(text));
    for (const end of [bytes.length, Buffer.byteLength(text), 5, 1])
      assert.equal(usual.eventOf(bytes, 1, end), undefined);
  });
  it('of too many words, or too deep, are left to JSON.parse', () => {
    assert.equal(
      read(asGo({ ...EVENT, requestObject: {}, user: { username: 'x'.repeat(20_000) } })),
      undefined,
    );
    assert.equal(
      read(`{"verb":"get","user":{},"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
      undefined,
    );
  });
});
