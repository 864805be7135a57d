/** Requests in random worlds of a mesh, against what a real Envoy and ztunnel decided. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  createMesh,
  type MeshConfig,
  type MeshRequest,
  normalizePath,
  type PathNormalization,
  type PortProtocol,
} from '#decide/mesh/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';

interface World {
  readonly id: string;
  readonly workload: {
    readonly namespace: string;
    readonly labels: Record<string, string>;
    readonly podIP: string;
  };
  readonly ports: readonly { readonly port: number; readonly protocol: PortProtocol }[];
  readonly meshConfig?: MeshConfig;
  readonly objects: readonly KubeObject[];
  readonly cases: readonly {
    readonly request: MeshRequest;
    readonly allowed: boolean;
    readonly outcome?: string;
    readonly envoyVersionDependent?: boolean;
  }[];
}

withShared('conformance/network', path => {
  for (const [file, least, dataplane] of [
    ['istio-http.json', 1800, 'sidecar'],
    ['istio-tcp.json', 1200, 'sidecar'],
    ['istio-paths.json', 1144, 'sidecar'],
    ['istio-ambient.json', 1800, 'ambient'],
  ] as const)
    it(`decides ${file}`, () => {
      const { worlds } = JSON.parse(readFileSync(join(path, file), 'utf8')) as { worlds: World[] };
      let cases = 0;
      const wrong: unknown[] = [];
      for (const world of worlds) {
        const mesh = createMesh(world.objects, { meshConfig: world.meshConfig ?? {}, envoy: '1.40.0' });
        for (const one of world.cases) {
          cases++;
          const { allowed, outcome, because } = mesh.authorize({
            workload: { ...world.workload, ports: world.ports, dataplane },
            request: one.request,
          });
          if (allowed !== one.allowed || (one.outcome !== undefined && outcome !== one.outcome))
            wrong.push({ world: world.id, one, allowed, outcome, because: because.map(({ text }) => text) });
        }
      }
      assert.deepEqual(wrong, []);
      assert.ok(cases >= least, `${cases} cases`);
    });

  it('normalizes the paths of path-normalization.json', () => {
    const { cases } = JSON.parse(readFileSync(join(path, 'path-normalization.json'), 'utf8')) as {
      cases: { normalization: PathNormalization; request: string; path?: string; status?: number }[];
    };
    assert.ok(cases.length >= 1680);
    const wrong = cases.flatMap(({ normalization, request, path: should, status }) => {
      const is = normalizePath(request, { normalization, envoy: '1.40.0' });
      const expected = status === undefined ? { path: should } : { status };
      return JSON.stringify(is) === JSON.stringify(expected)
        ? []
        : [{ normalization, request, expected, is }];
    });
    assert.deepEqual(wrong, []);
  });
});
