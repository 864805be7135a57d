import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { compareNetworks } from './compare.ts';
import { createNetwork } from './network.ts';
import { formatPorts } from './ports.ts';

type Fields = Record<string, unknown>;

const pod = (name: string, labels: Fields = { app: name }): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels },
    spec: { containers: [] },
  }) as KubeObject;
const policy = (spec: Fields): KubeObject =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'np', namespace: 'shop' },
    spec,
  }) as KubeObject;
const service = (type: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { type, selector: { app: 'web' }, ports: [{ port: 80 }] },
  }) as KubeObject;

const changes = (before: readonly KubeObject[], after: readonly KubeObject[]) =>
  compareNetworks(createNetwork(before), createNetwork(after));
const pairs = (before: readonly KubeObject[], after: readonly KubeObject[]): string[] =>
  changes(before, after)
    .pairs.map(({ from, to, gained, lost, perhapsGained }) =>
      [
        `${from.ids.join('+') || from.ranges.join('+')} => ${to.ids.join('+') || to.ranges.join('+')}`,
        ...(formatPorts(gained) === 'no port' ? [] : [`+ ${formatPorts(gained)}`]),
        ...(formatPorts(lost) === 'no port' ? [] : [`- ${formatPorts(lost)}`]),
        ...(formatPorts(perhapsGained) === 'no port' ? [] : [`? ${formatPorts(perhapsGained)}`]),
      ].join(' '),
    )
    .sort();

const shop = [pod('web'), pod('db')];
const onlyWeb = (port: number) =>
  policy({
    podSelector: { matchLabels: { app: 'db' } },
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port }] }],
  });

describe('compareNetworks', () => {
  it('finds nothing between equal networks', () => {
    assert.deepEqual(changes([...shop, onlyWeb(80)], [...shop, onlyWeb(80)]), {
      pairs: [],
      exposure: { gained: [], lost: [] },
    });
  });

  it('finds the ports gained and lost', () => {
    assert.deepEqual(pairs([...shop, onlyWeb(80)], [...shop, onlyWeb(81)]), [
      'shop/web => shop/db + TCP 81 - TCP 80',
    ]);
  });

  it('finds the addresses for which something changed', () => {
    const from = (cidr: string) =>
      policy({
        podSelector: { matchLabels: { app: 'db' } },
        ingress: [{ from: [{ ipBlock: { cidr } }], ports: [{ port: 80 }] }],
      });
    const [first, ...rest] = pairs([pod('db'), from('8.0.0.0/8')], [pod('db'), from('8.0.0.0/7')]);
    assert.deepEqual([first, rest], ['9.0.0.0/8 => shop/db + TCP 80', []]);
  });

  it('finds what a new or removed pod brings', () => {
    assert.deepEqual(
      pairs(shop, [...shop, onlyWeb(80), pod('x')]).filter(line => line.includes('shop/x')),
      [
        '0.0.0.0/0 => shop/x + all ports',
        '::/0 => shop/x + all ports',
        'shop/db => shop/x + all ports',
        'shop/web => shop/x + all ports',
        'shop/x => 0.0.0.0/0 + all ports',
        'shop/x => ::/0 + all ports',
        'shop/x => shop/web + all ports',
      ],
    );
  });

  it('tells what may be gained', () => {
    const refused = policy({ podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from: [{}] }] });
    assert.deepEqual(
      pairs([...shop, onlyWeb(80)], [...shop, refused]).filter(line => line.startsWith('shop/web')),
      ['shop/web => shop/db - TCP 80 ? TCP 1-79, 81-65535, UDP 1-65535, SCTP 1-65535'],
    );
  });

  it('finds the exposure gained and lost', () => {
    const { exposure } = changes([...shop, service('ClusterIP')], [...shop, service('NodePort')]);
    assert.deepEqual([exposure.gained.map(({ entry }) => entry.is), exposure.lost], [['node-port'], []]);
    const back = changes([...shop, service('NodePort')], [...shop, service('NodePort'), policy({})]).exposure;
    assert.deepEqual([back.gained, back.lost.map(({ id }) => id)], [[], ['shop/web']]);
  });
});
