import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createMesh, deriveFlow } from '#decide/mesh/door.ts';
import { createNetwork } from '#decide/network/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import { app, deployment, istio, linkerd, namespace } from '../../test/mesh.ts';
import { advisePolicies, type Form, type FormOptions } from './mesh-forms.ts';
import { neverCalled } from './mesh-warnings.ts';
import type { Need } from './network-needs.ts';

const OPEN = { network: { ipBlocksMatchPods: false } } as const;
const plain = [
  namespace('shop'),
  namespace('bank'),
  ...app('web', 'shop'),
  ...app('cart', 'shop'),
  ...app('pay', 'bank'),
];
const web = deployment('web', 'shop');
const cart = deployment('cart', 'shop');
const pay = deployment('pay', 'bank');
const needs: readonly Need[] = [
  { from: web, to: cart, port: 8080 },
  { from: cart, to: pay, port: 8080 },
];

function advise(
  objects: readonly KubeObject[],
  wanted: readonly Need[],
  forms: readonly Form[],
  more: Partial<FormOptions> = {},
) {
  return advisePolicies(objects, wanted, { forms, ...OPEN, ...more });
}

function named(objects: readonly KubeObject[], kind: string, name: string): Record<string, unknown> {
  const found = objects.find(object => object.kind === kind && object.metadata?.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found['spec'] as Record<string, unknown>;
}

describe('advisePolicies', () => {
  it('writes Istio’s policies by identity and port, and proves them', () => {
    const { policies, unmet, remaining, stages } = advise(plain, needs, ['istio']);
    assert.deepEqual([unmet, remaining], [[], []]);
    assert.deepEqual(named(policies, 'AuthorizationPolicy', 'allow-cart'), {
      selector: { matchLabels: { app: 'cart' } },
      action: 'ALLOW',
      rules: [
        {
          from: [{ source: { principals: ['cluster.local/ns/shop/sa/web'] } }],
          to: [{ operation: { ports: ['8080'] } }],
        },
      ],
    });
    assert.deepEqual(named(policies, 'AuthorizationPolicy', 'allow-nothing'), {});
    assert.deepEqual(named(policies, 'PeerAuthentication', 'default'), { mtls: { mode: 'STRICT' } });
    assert.deepEqual(
      stages.map(({ file, unmet: broken }) => [file, broken.length]),
      [
        ['25-enrol.yaml', 0],
        ['30-permissive.yaml', 0],
        ['40-dry-run.yaml', 0],
        ['50-allow.yaml', 0],
        ['60-allow-nothing.yaml', 0],
        ['70-strict-bank.yaml', 0],
        ['71-strict-shop.yaml', 0],
      ],
    );
    assert.ok(
      stages[2]!.objects.every(object => object.metadata?.annotations?.['istio.io/dry-run'] === 'true'),
    );
  });

  it('writes Linkerd’s policies, and proves them', () => {
    const { policies, unmet, remaining, stages } = advise(plain, needs, ['linkerd']);
    assert.deepEqual([unmet, remaining], [[], []]);
    assert.deepEqual(named(policies, 'Server', 'cart-8080'), {
      podSelector: { matchLabels: { app: 'cart' } },
      port: 8080,
      accessPolicy: 'deny',
    });
    assert.deepEqual(named(policies, 'MeshTLSAuthentication', 'cart-8080-clients'), {
      identityRefs: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
    });
    assert.ok(stages.every(stage => stage.unmet.length === 0));
    assert.equal(named(stages[2]!.objects, 'Server', 'cart-8080')['accessPolicy'], 'audit');
  });

  it('keeps a port open to plain text for callers without an identity, and says who else comes in by it', () => {
    const out = namespace('out');
    const outside = [
      ...plain,
      out,
      ...app('batch', 'out', { labels: { 'sidecar.istio.io/inject': 'false' } }),
    ];
    const wanted: Need[] = [...needs, { from: deployment('batch', 'out'), to: cart, port: 8080 }];
    const { policies, unmet, remaining, plaintext } = advise(outside, wanted, ['istio']);
    assert.deepEqual(unmet, []);
    assert.deepEqual(named(policies, 'PeerAuthentication', 'plaintext-cart'), {
      selector: { matchLabels: { app: 'cart' } },
      mtls: { mode: 'STRICT' },
      portLevelMtls: { '8080': { mode: 'PERMISSIVE' } },
    });
    assert.deepEqual(plaintext, [
      { to: 'shop/Deployment/cart', port: 8080, callers: ['out/Deployment/batch'] },
    ]);
    const open = remaining.find(({ to }) => to === 'shop/Deployment/cart');
    assert.match(open!.why, /open to callers without an identity, for out\/Deployment\/batch/);
    // The second layer closes it again, but for what network policies cannot tell apart.
    const both = advise(outside, wanted, ['network-policy', 'istio']);
    assert.deepEqual(
      both.remaining.filter(({ to }) => to === 'shop/Deployment/cart'),
      [],
    );
    assert.deepEqual(both.unmet, []);
  });

  it('says that an identity is shared', () => {
    const shared = [
      namespace('shop', { 'istio-injection': 'enabled' }),
      ...app('web', 'shop', { account: 'default' }),
      ...app('job', 'shop', { account: 'default' }),
      ...app('cart', 'shop'),
    ];
    const { remaining } = advise(shared, [{ from: web, to: cart, port: 8080 }], ['istio']);
    assert.equal(remaining.length, 1);
    // A pod that names no account has it too.
    assert.deepEqual(remaining[0]!.from, ['shop/(any pod)', 'shop/Deployment/job']);
    assert.match(remaining[0]!.why, /identity of shop\/Deployment\/web/);
  });

  it('says why a caller with a proxy still comes in plain text', () => {
    const { notes, plaintext } = advise(plain, [{ from: web, to: cart, port: 9090 }], ['istio']);
    assert.equal(plaintext.length, 1);
    assert.match(notes.join('\n'), /although it has a proxy: no Service leads to port 9090/);
  });

  it('names a workload that has no proxy', () => {
    const host = [
      namespace('shop', { 'istio-injection': 'enabled' }),
      ...app('web', 'shop'),
      ...app('out', 'shop', { labels: { 'sidecar.istio.io/inject': 'false' } }),
      ...app('node', 'shop', { spec: { hostNetwork: true } }),
    ];
    const { remaining, notes } = advise(host, [], ['istio']);
    assert.ok(remaining.every(({ to }) => to === 'shop/Deployment/out'));
    // What nothing can restrict is no failure of what was written, and is said.
    assert.match(notes.join('\n'), /shop\/Deployment\/node is in the network of its node/);
    assert.match(remaining[0]!.why, /no proxy stands before it/);
  });

  it('leads clients of ambient mode through the waypoint of their Service', () => {
    const ambient = { 'istio.io/dataplane-mode': 'ambient' };
    const waypoint: KubeObject = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'waypoint', namespace: 'shop' },
      spec: {
        gatewayClassName: 'istio-waypoint',
        listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }],
      },
    };
    const objects = [
      namespace('shop', { ...ambient, 'istio.io/use-waypoint': 'waypoint' }),
      waypoint,
      ...app('web', 'shop'),
      ...app('cart', 'shop'),
    ];
    const { policies, unmet, remaining, stages } = advise(
      objects,
      [{ from: web, to: cart, port: 8080 }],
      ['istio'],
    );
    assert.deepEqual([unmet, remaining], [[], []]);
    assert.deepEqual(named(policies, 'AuthorizationPolicy', 'allow-cart-at-waypoint'), {
      targetRefs: [{ group: '', kind: 'Service', name: 'cart' }],
      action: 'ALLOW',
      rules: [
        {
          from: [{ source: { principals: ['cluster.local/ns/shop/sa/web'] } }],
          to: [{ operation: { ports: ['80'] } }],
        },
      ],
    });
    assert.match(
      JSON.stringify(named(policies, 'AuthorizationPolicy', 'allow-cart')),
      /ns\/shop\/sa\/waypoint/,
    );
    assert.ok(!stages.some(({ file }) => file.includes('dry-run')), 'ambient mode has no dry run');
  });

  it('lets the network take the tunnel of ambient mode, and the control plane of sidecars', () => {
    const { policies, unmet, notes } = advise(plain, needs, ['network-policy', 'istio'], {
      dataplane: 'ambient',
    });
    assert.deepEqual(unmet, []);
    const spec = policies.find(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata?.name === 'allow-cart',
    )!;
    assert.match(JSON.stringify(spec), /15008/);
    assert.ok(notes.some(note => note.includes('tunnel')));
    const sidecars = advise(plain, needs, ['network-policy', 'istio']);
    assert.deepEqual([sidecars.unmet, sidecars.remaining], [[], []]);
    assert.match(JSON.stringify(sidecars.policies), /"app":"istiod"/);
  });

  const noWayOut = (spec: object = {}): KubeObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'no-way-out', namespace: 'shop' },
    spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: {} }] }], ...spec },
  });

  it('lets proxies reach their control plane where policies of the input stop them, before they join', () => {
    const { unmet, remaining, stages, policies, notes } = advise([...plain, noWayOut()], needs.slice(0, 1), [
      'istio',
    ]);
    assert.deepEqual([unmet, remaining], [[], []]);
    assert.deepEqual(
      stages.slice(0, 2).map(({ file, unmet: broken }) => [file, broken.length]),
      [
        ['15-mesh-network.yaml', 0],
        ['25-enrol.yaml', 0],
      ],
    );
    assert.deepEqual(named(policies, 'NetworkPolicy', 'allow-mesh-every-pod'), {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'istio-system' } },
              podSelector: { matchLabels: { app: 'istiod' } },
            },
          ],
          ports: [{ protocol: 'TCP', port: 15012 }],
        },
      ],
    });
    assert.match(notes.join(), /shop\/allow-mesh-every-pod lets it through/);
    // Without it the enrolment breaks: the policy is needed.
    const after = [...plain, noWayOut(), ...policies.filter(({ kind }) => kind !== 'NetworkPolicy')];
    const { allowed } = createNetwork(after).connection({
      from: web,
      to: { labels: { app: 'istiod' }, namespaceLabels: { 'kubernetes.io/metadata.name': 'istio-system' } },
      port: 15012,
    });
    assert.equal(allowed, false);
  });

  it('isolates nobody who is open today', () => {
    const only = noWayOut({ podSelector: { matchLabels: { app: 'web' } } });
    const { policies, after, unmet } = advise([...plain, only], needs, ['istio']);
    assert.deepEqual(unmet, []);
    assert.deepEqual(
      policies.filter(({ kind }) => kind === 'NetworkPolicy').map(({ metadata }) => metadata?.name),
      ['allow-mesh-web'],
    );
    assert.equal(
      createNetwork(after).connection({ from: cart, to: { ip: '203.0.113.9' }, port: 443 }).allowed,
      true,
    );
  });

  it('lets tunnels of the mesh through policies that allow what goes in them', () => {
    const ingress: KubeObject = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'cart', namespace: 'shop' },
      spec: {
        podSelector: { matchLabels: { app: 'cart' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 8080 }] }],
      },
    };
    for (const [form, more, port] of [
      ['istio', { dataplane: 'ambient' }, 15_008],
      ['linkerd', {}, 4143],
    ] as const) {
      const { unmet, policies, stages } = advise([...plain, ingress], needs.slice(0, 1), [form], more);
      assert.deepEqual(unmet, [], form);
      assert.deepEqual(named(policies, 'NetworkPolicy', 'allow-mesh-cart'), {
        podSelector: { matchLabels: { app: 'cart' } },
        policyTypes: ['Ingress'],
        ingress: [
          { from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ protocol: 'TCP', port }] },
        ],
      });
      assert.ok(stages.every(stage => stage.unmet.length === 0));
    }
  });

  it('says what policies of other layers stop, which no NetworkPolicy opens', () => {
    const admin: KubeObject = {
      apiVersion: 'policy.networking.k8s.io/v1alpha1',
      kind: 'AdminNetworkPolicy',
      metadata: { name: 'no-way-out' },
      spec: {
        priority: 1,
        subject: { namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } },
        egress: [
          {
            action: 'Deny',
            to: [{ namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'istio-system' } } }],
          },
        ],
      },
    };
    const { unmet, policies, stages } = advise([...plain, admin], needs.slice(0, 1), ['istio']);
    assert.deepEqual(
      unmet.map(({ because }) => because[0]!.object),
      [admin],
    );
    assert.ok(policies.every(({ kind }) => kind !== 'NetworkPolicy'));
    assert.equal(stages[0]!.unmet.length, 1);
  });

  it('names workloads behind a Service that nobody is known to call', () => {
    const advice = advise(plain, needs.slice(0, 1), ['istio']);
    assert.deepEqual(neverCalled(plain, advice), ['bank/Deployment/pay', 'shop/Deployment/web']);
    const [job] = app('job', 'shop');
    assert.deepEqual(
      neverCalled([...plain, job!], advise([...plain, job!], needs, ['istio'])),
      ['shop/Deployment/web'],
      'a workload without a Service is nobody to call',
    );
  });

  it('is minimal: without any of its rules a connection that is needed breaks', () => {
    for (const form of ['istio', 'network-policy'] as const) {
      const { policies, after } = advise(plain, needs, [form]);
      const allows = policies.filter(
        ({ metadata }) => String(metadata?.name).startsWith('allow-') && metadata?.name !== 'allow-nothing',
      );
      assert.ok(allows.length >= 2, form);
      for (const gone of allows) {
        const rest = after.filter(object => object !== gone);
        const [network, mesh] = [createNetwork(rest, OPEN.network), createMesh(rest)];
        const works = needs.every(
          ({ from, to, port }) =>
            deriveFlow(network, mesh, { from, to, port } as Parameters<typeof deriveFlow>[2]).allowed ===
            true,
        );
        assert.equal(works, false, `${form} without ${gone.metadata?.name}`);
      }
    }
  });

  it('takes the place of rules that allow, and keeps those that deny', () => {
    const allowAll = istio('AuthorizationPolicy', 'all', 'shop', { rules: [{}] });
    const deny = istio('AuthorizationPolicy', 'no-debug', 'shop', {
      action: 'DENY',
      rules: [{ to: [{ operation: { ports: ['9999'] } }] }],
    });
    const strict = istio('PeerAuthentication', 'ours', 'shop', { mtls: { mode: 'STRICT' } });
    const { replaced, policies, remaining, stages } = advise([...plain, allowAll, deny, strict], needs, [
      'istio',
    ]);
    assert.deepEqual(replaced, [allowAll]);
    assert.deepEqual(remaining, []);
    // A second object beside the one that counts for the namespace would not be read.
    assert.deepEqual(named(policies, 'PeerAuthentication', 'ours'), { mtls: { mode: 'STRICT' } });
    const lenient = stages.find(({ file }) => file.includes('permissive'))!;
    assert.ok(
      lenient.objects.every(({ metadata }) => metadata?.namespace !== 'shop'),
      'nothing is opened',
    );
  });

  it('lets Linkerd take probes of the kubelet: by their path, or from networks where it cannot tell', () => {
    const probe = (kind: object): object => ({
      containers: [
        { name: 'app', image: 'app:1', ports: [{ name: 'web', containerPort: 8080 }], readinessProbe: kind },
      ],
    });
    const http = [
      namespace('shop'),
      ...app('web', 'shop'),
      ...app('cart', 'shop', { spec: probe({ httpGet: { path: '/ready', port: 8080 } }) }),
    ];
    const wanted: Need[] = [{ from: web, to: cart, port: 8080 }];
    const { after, remaining } = advise(http, wanted, ['linkerd']);
    assert.deepEqual(remaining, []);
    const flow = deriveFlow(createNetwork(after), createMesh(after), {
      from: { ip: '10.1.2.3' },
      to: cart,
      port: 8080,
      request: { method: 'GET', path: '/ready' },
    });
    assert.equal(flow.allowed, true);
    const grpc = [
      namespace('shop'),
      ...app('web', 'shop'),
      ...app('cart', 'shop', { spec: probe({ grpc: { port: 8080 } }) }),
    ];
    const open = advise(grpc, wanted, ['linkerd']);
    assert.deepEqual(open.plaintext, [
      { to: 'shop/Deployment/cart', port: 8080, callers: ['the kubelet (gRPC probe of container app)'] },
    ]);
  });

  it('opens the ports of probes to the kubelet where Istio does not rewrite them', () => {
    const spec = {
      containers: [
        {
          name: 'app',
          image: 'app:1',
          ports: [{ name: 'web', containerPort: 8080 }],
          readinessProbe: { httpGet: { path: '/', port: 'web' } },
        },
      ],
    };
    const annotations = { 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' };
    const objects = (notes: Record<string, string>) => [
      namespace('shop'),
      ...app('cart', 'shop', { spec, annotations: notes }),
    ];
    const { plaintext } = advise(objects(annotations), [], ['istio']);
    assert.deepEqual(plaintext, [
      { to: 'shop/Deployment/cart', port: 8080, callers: ['the kubelet (its probes are not rewritten)'] },
    ]);
    assert.deepEqual(advise(objects({}), [], ['istio']).plaintext, []);
  });

  it('replaces the policies of Linkerd that the namespace has', () => {
    const server = linkerd('Server', 'old', 'shop', {
      podSelector: {},
      port: 8080,
      accessPolicy: 'all-unauthenticated',
    });
    const { replaced, unmet, remaining } = advise([...plain, server], needs, ['linkerd']);
    assert.deepEqual(replaced, [server]);
    assert.deepEqual([unmet, remaining], [[], []]);
  });

  it('is exact in every form, for any needs between workloads of their own accounts', () => {
    const sides = fc.constantFrom(web, cart, pay);
    const need = fc
      .record({ from: sides, to: sides, port: fc.constant(8080) })
      .filter(({ from, to }) => from !== to);
    const forms = fc.constantFrom<Form[]>(
      ['istio'],
      ['linkerd'],
      ['network-policy'],
      ['network-policy', 'istio'],
    );
    const dataplane = fc.constantFrom<'sidecar' | 'ambient'>('sidecar', 'ambient');
    fc.assert(
      fc.property(fc.array(need, { maxLength: 6 }), forms, dataplane, (list, form, kind) => {
        const { unmet, remaining, stages } = advise(plain, list, form, { dataplane: kind });
        assert.deepEqual([unmet, remaining], [[], []]);
        assert.ok(stages.every(stage => stage.unmet.length === 0));
      }),
      { numRuns: 60 },
    );
  });
});
