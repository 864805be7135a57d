import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFlows } from './flows.ts';

const hubble = (more: object): string =>
  JSON.stringify({
    flow: {
      verdict: 'FORWARDED',
      l4: { TCP: { source_port: 40000, destination_port: 8080 } },
      IP: { source: '10.0.0.1', destination: '10.0.0.2' },
      source: { namespace: 'shop', pod_name: 'web-1', workloads: [{ name: 'web', kind: 'Deployment' }] },
      destination: { namespace: 'shop', pod_name: 'api-1' },
      ...more,
    },
  });

describe('flows', () => {
  it('reads Hubble, without replies and drops', () => {
    const text = [
      hubble({}),
      hubble({}),
      hubble({ is_reply: true }),
      hubble({ verdict: 'DROPPED' }),
      hubble({ destination: {} }),
    ];
    assert.deepEqual(readFlows(text.join('\n')), {
      flows: [
        { from: 'shop/web', to: 'shop/api-1', port: 8080, protocol: 'TCP' },
        { from: 'shop/web', to: '10.0.0.2', port: 8080, protocol: 'TCP' },
      ],
      gaps: [],
    });
  });

  it('reads ztunnel and CSV, its columns in any order', () => {
    const line = JSON.stringify({
      'src.workload': 'web-1',
      'src.namespace': 'shop',
      'dst.addr': '10.0.0.2:9090',
      'dst.workload': 'api-1',
      'dst.namespace': 'shop',
    });
    const text = `${line}\nport,to,from\n53,shop/dns,shop/web\n`;
    assert.deepEqual(
      readFlows(text).flows.map(({ from, to, port }) => `${from} ${to} ${port}`),
      ['shop/web-1 shop/api-1 9090', 'shop/web shop/dns 53'],
    );
  });

  it('says which lines it cannot read', () => {
    const { flows, gaps } = readFlows('{"flow":\na,b,99999\n{"a":1}\n,b,80\n');
    assert.deepEqual(flows, []);
    assert.deepEqual(
      gaps.map(({ line }) => line),
      [1, 2, 3, 4],
    );
  });
});
