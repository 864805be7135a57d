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

/** The flows of a text in words; every line of it must be read. */
function words(...lines: string[]): string[] {
  const { flows, gaps } = readFlows(lines.join('\n'));
  assert.deepEqual(gaps, []);
  return flows.map(({ from, to, port, protocol }) => `${from} ${to} ${port ?? 'any'}/${protocol}`);
}

describe('flows', () => {
  it('reads Hubble, without replies and drops', () => {
    const text = [
      hubble({}),
      hubble({}),
      hubble({ is_reply: true }),
      hubble({ verdict: 'DROPPED' }),
      hubble({ destination: {} }),
    ];
    assert.deepEqual(words(...text), ['shop/web shop/api-1 8080/TCP', 'shop/web 10.0.0.2 8080/TCP']);
  });

  it('takes the node’s own traffic for no need, and says where events were lost', () => {
    assert.deepEqual(words(hubble({ source: { labels: ['reserved:host'] } }), '{"node_status":{}}'), []);
    const { unnamed, gaps } = readFlows('{"lost_events":{"num_events_lost":3}}');
    assert.deepEqual([unnamed, gaps], [1, [{ line: 1, reason: 'Hubble lost events here' }]]);
    // What is no record at all is no connection either.
    assert.equal(readFlows('2026-11-20T10:12:01Z info Envoy proxy is ready').unnamed, 0);
  });

  it('reads what Calico’s Whisker shows', () => {
    const flow = (more: object): string =>
      JSON.stringify({
        start_time: '2026-11-20T10:00:00Z',
        action: 'Allow',
        source_name: 'web-5d9c7b8f6-*',
        source_namespace: 'shop',
        dest_name: 'api-6bd8c9b8f-*',
        dest_namespace: 'shop',
        protocol: 'tcp',
        dest_port: 8080,
        reporter: 'Src',
        ...more,
      });
    assert.deepEqual(words(flow({}), flow({ action: 'Deny', dest_port: 1 })), [
      'shop/web-5d9c7b8f6 shop/api-6bd8c9b8f 8080/TCP',
    ]);
    assert.equal(readFlows(flow({ source_name: 'pub', source_namespace: '-' })).unnamed, 1);
  });

  it('finds in an access log which Service was asked for', () => {
    const line = JSON.stringify({
      upstream_host: '10.0.1.55:8443',
      upstream_cluster: 'inbound|8443||',
      downstream_local_address: '10.0.1.55:8443',
      downstream_remote_address: '10.0.1.23:43000',
      requested_server_name: 'outbound_.443_.v1_.payments.shop.svc.cluster.local',
    });
    assert.deepEqual(words(line), ['10.0.1.23 service:payments.shop.svc.cluster.local 443/TCP']);
  });

  it('reads ztunnel in JSON and in text, the port inside of the tunnel', () => {
    const json = JSON.stringify({
      'src.addr': '10.0.0.1:4444',
      'src.workload': 'web-1',
      'src.namespace': 'shop',
      'dst.addr': '10.0.0.2:15008',
      'dst.hbone_addr': '10.0.0.2:9090',
      'dst.workload': 'api-1',
      'dst.namespace': 'shop',
    });
    const text =
      '2026-08-21T15:32:05.754291Z info access connection complete src.addr=10.42.0.9:33772 src.workload="web-2" src.namespace="shop" dst.addr=10.42.0.5:8080 direction="outbound" bytes_sent=84 duration="15ms"';
    const refused = `${text} error="connection closed due to policy rejection"`;
    assert.deepEqual(words(json, text, refused), [
      'shop/web-1 shop/api-1 9090/TCP',
      'shop/web-2 10.42.0.5 8080/TCP',
    ]);
  });

  it('reads CSV, its columns in any order and its cells in quotes', () => {
    assert.deepEqual(words('port,to,from', '53,shop/dns,shop/web', '"80","shop/api","shop/web"'), [
      'shop/web shop/dns 53/TCP',
      'shop/web shop/api 80/TCP',
    ]);
  });

  it('reads Calico in JSON, CSV and text, without what was denied', () => {
    const record = {
      source_ip: '10.0.0.1',
      source_name: '-',
      source_name_aggr: 'web-5d9c7b8f6-*',
      source_namespace: 'shop',
      source_type: 'wep',
      source_port: 40_000,
      dest_ip: '192.0.2.1',
      dest_name_aggr: 'pub',
      dest_namespace: '-',
      dest_type: 'net',
      dest_port: 443,
      proto: 'tcp',
      action: 'allow',
    };
    assert.deepEqual(words(JSON.stringify(record), JSON.stringify({ ...record, action: 'deny' })), [
      'shop/web-5d9c7b8f6 192.0.2.1 443/TCP',
    ]);
    assert.deepEqual(
      words(
        'source_namespace,source_name_aggr,source_type,dest_namespace,dest_name_aggr,dest_type,dest_port,proto,action',
        'shop,web-*,wep,shop,api-*,wep,8080,tcp,allow',
      ),
      ['shop/web shop/api 8080/TCP'],
    );
    assert.deepEqual(
      words(
        '1529529591 1529529892 wep shop web-1 [app=web,tier=a b] wep shop api-* - 10.1.0.1 10.1.0.2 6 40000 8080 2 2 0 out 35 12 0 0 allow',
      ),
      ['shop/web-1 shop/api 8080/TCP'],
    );
  });

  it('reads Envoy as Istio writes it, from both sides and in JSON', () => {
    const line = (upstream: string, cluster: string, local: string, remote: string): string =>
      `[2026-11-25T09:00:00.000Z] "GET /reviews/1 HTTP/1.1" 200 - via_upstream - "-" 0 295 12 11 "-" "curl/8" "5d1" "reviews:9080" "${upstream}" ${cluster} 10.0.0.1:50000 ${local} ${remote} - default`;
    assert.deepEqual(
      words(
        line(
          '10.0.0.2:9080',
          'outbound|9080||reviews.shop.svc.cluster.local',
          '10.96.0.1:9080',
          '10.0.0.1:4000',
        ),
        `[pod/web-5d9c7b8f6-abcde/istio-proxy] ${line('10.0.0.2:9080', 'inbound|9080||', '10.0.0.2:9080', '10.0.0.1:4000')}`,
        line('203.0.113.9:443', 'PassthroughCluster', '203.0.113.9:443', '10.0.0.1:4000'),
      ),
      [
        '10.0.0.1 service:reviews.shop.svc.cluster.local 9080/TCP',
        '10.0.0.1 ?/web-5d9c7b8f6-abcde 9080/TCP',
        '10.0.0.1 203.0.113.9 443/TCP',
      ],
    );
    const json = {
      upstream_cluster: 'inbound|9080||',
      downstream_local_address: '10.0.0.2:9080',
      downstream_remote_address: '10.0.0.1:4000',
      downstream_peer_uri_san: 'spiffe://cluster.local/ns/shop/sa/web',
    };
    const denied = { ...json, response_code_details: 'rbac_access_denied_matched_policy[none]' };
    assert.deepEqual(words(JSON.stringify(json), JSON.stringify(denied)), [
      'spiffe://cluster.local/ns/shop/sa/web 10.0.0.2 9080/TCP',
    ]);
  });

  it('reads the metrics of Istio, and passes over others and over zero', () => {
    const metric = (value: string): string =>
      `istio_requests_total{reporter="destination",source_workload="web",source_workload_namespace="shop",destination_workload="api",destination_workload_namespace="shop",response_code="200"} ${value}`;
    assert.deepEqual(words('# HELP x', 'up 1', 'go_goroutines{job="x"} 1e+01', metric('12'), metric('0')), [
      'shop/web shop/api any/TCP',
    ]);
  });

  it('reads flow logs of VPCs, without answers and refusals', () => {
    const aws = (source: number, port: number, action: string): string =>
      `2 123456789010 eni-1235b8ca123456789 10.0.0.1 10.0.0.2 ${source} ${port} 6 20 4249 1418530010 1418530070 ${action} OK`;
    assert.deepEqual(
      words(
        aws(40_000, 443, 'ACCEPT'),
        aws(443, 40_000, 'ACCEPT'),
        aws(40_000, 22, 'REJECT'),
        '2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA',
      ),
      ['10.0.0.1 10.0.0.2 443/TCP'],
    );
    assert.deepEqual(
      words('version srcaddr dstaddr srcport dstport protocol', '3 10.0.0.1 10.0.0.3 40000 53 17'),
      ['10.0.0.1 10.0.0.3 53/UDP'],
    );
    const google = {
      jsonPayload: {
        connection: { src_ip: '10.0.0.1', src_port: 40_000, dest_ip: '10.0.0.2', dest_port: 80, protocol: 6 },
        src_gke_details: { pod: { pod_namespace: 'shop', pod_workload: { workload_name: 'web' } } },
      },
    };
    assert.deepEqual(words(JSON.stringify(google)), ['shop/web 10.0.0.2 80/TCP']);
  });

  it('says which lines it cannot read, the first of them only', () => {
    const { flows, gaps } = readFlows('{"flow":\na,b,99999\n{"a":1}\n,b,80\nwhat is this?\n');
    assert.deepEqual(flows, []);
    assert.deepEqual(
      gaps.map(({ line }) => line),
      [1, 2, 3, 4, 5],
    );
    const many = readFlows('nothing\n'.repeat(100));
    assert.deepEqual([many.gaps.length, many.unread], [20, 100]);
  });

  it('stays quick on hostile lines', () => {
    const start = performance.now();
    readFlows(
      ['"'.repeat(2 ** 19), 'a="'.repeat(2 ** 17), `${'['.repeat(2 ** 18)} "`, ','.repeat(2 ** 19)].join(
        '\n',
      ),
    );
    assert.ok(performance.now() - start < 2000);
  });
});
