/**
 * What a workload's proxy takes on a port: mutual TLS, plain text, or both.
 * Sources: istio pilot/pkg/security/authn/policy_applier.go (ComposePeerAuthentication), pilot/pkg/model/authentication.go
 * (order), and for ztunnel pilot/pkg/serviceregistry/ambient/authorization.go (convertPeerAuthentication).
 */

import { namespaceOf } from '#decide/network/inventory.ts';
import { NO, YES } from '#decide/network/labels.ts';
import { isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import { attachmentOf, type MeshProxy, securityObjects, selectorMatch } from './policies.ts';

export type TlsMode = 'DISABLE' | 'PERMISSIVE' | 'STRICT';

/** A mode with the place that set it; none where nothing did. */
export interface ServerMode {
  readonly mode: TlsMode;
  readonly object?: KubeObject;
  readonly path?: Path;
}

interface PeerAuthentication {
  readonly object: KubeObject;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Undefined: UNSET. */
  readonly mode: TlsMode | undefined;
  readonly ports: ReadonlyMap<number, TlsMode | undefined>;
}

const MODES: readonly string[] = ['DISABLE', 'PERMISSIVE', 'STRICT'];

export class PeerAuthentications {
  /** The oldest object without a selector, by namespace; and those with one, oldest first. */
  readonly #ofNamespaces = new Map<string, PeerAuthentication>();
  readonly #selective = new Map<string, readonly PeerAuthentication[]>();
  readonly #rootNamespace: string;

  constructor(objects: readonly KubeObject[], rootNamespace: string) {
    this.#rootNamespace = rootNamespace;
    const all = securityObjects(objects, 'PeerAuthentication').flatMap((object): PeerAuthentication[] => {
      const attachment = attachmentOf(object);
      if (attachment === undefined) return [];
      const ports = valueAt(object, ['spec', 'portLevelMtls']);
      return [
        {
          object,
          namespace: namespaceOf(object),
          selector: attachment.selector ?? {},
          mode: modeOf(valueAt(object, ['spec', 'mtls', 'mode'])),
          ports: new Map(
            Object.entries(isRecord(ports) ? ports : {}).map(([port, value]) => [
              Number(port),
              modeOf(valueAt(value, ['mode'])),
            ]),
          ),
        },
      ];
    });
    for (const one of all) {
      const isWhole = Object.keys(one.selector).length === 0;
      if (!isWhole) this.#selective.set(one.namespace, [...(this.#selective.get(one.namespace) ?? []), one]);
      else if (!this.#ofNamespaces.has(one.namespace)) this.#ofNamespaces.set(one.namespace, one);
    }
  }

  /**
   * The modes that a port may have: one, or several where labels are not known. Only the oldest object of each scope
   * counts, even where it leaves the mode unset.
   *
   * @param ambient whether ztunnel decides, which always takes its own tunnel: nothing is DISABLE there
   */
  modes(proxy: MeshProxy, port: number, ambient = false): readonly ServerMode[] {
    return ambient ? this.#tunnelModes(proxy, port) : this.#sidecarModes(proxy, port);
  }

  /** The mode of a whole namespace, from which clients infer whether to encrypt at all. */
  modeOfNamespace(namespace: string): ServerMode {
    const [mesh, own] = [this.#whole(this.#rootNamespace), this.#whole(namespace)];
    if (own?.mode !== undefined) return stated(own, own.mode);
    return mesh?.mode === undefined ? { mode: 'PERMISSIVE' } : stated(mesh, mesh.mode);
  }

  /** The oldest object of a namespace that has no selector. */
  #whole(namespace: string): PeerAuthentication | undefined {
    return this.#ofNamespaces.get(namespace);
  }

  /** The objects that select a workload: those that may, up to the first that surely does. */
  *#selecting(proxy: MeshProxy): Generator<PeerAuthentication, boolean> {
    if (proxy.namespace === this.#rootNamespace) return false;
    for (const one of this.#selective.get(proxy.namespace) ?? []) {
      const match = selectorMatch(one.selector, proxy.labels);
      if (match !== NO) yield one;
      if (match === YES) return true;
    }
    return false;
  }

  #sidecarModes(proxy: MeshProxy, port: number): readonly ServerMode[] {
    let base: ServerMode = { mode: 'PERMISSIVE' };
    for (const found of this.#parents(proxy)) if (found?.mode !== undefined) base = stated(found, found.mode);
    return this.#ofWorkload(proxy, base, one => onPort(one, port, base));
  }

  #parents(proxy: MeshProxy): readonly [PeerAuthentication | undefined, PeerAuthentication | undefined] {
    return [
      this.#whole(this.#rootNamespace),
      proxy.namespace === this.#rootNamespace ? undefined : this.#whole(proxy.namespace),
    ];
  }

  #ofWorkload(
    proxy: MeshProxy,
    base: ServerMode,
    decide: (one: PeerAuthentication) => ServerMode,
  ): readonly ServerMode[] {
    const modes: ServerMode[] = [];
    const selecting = this.#selecting(proxy);
    for (;;) {
      const { done, value } = selecting.next();
      if (done !== true) modes.push(decide(value));
      else return value ? modes : [...modes, base];
    }
  }

  /** What istiod makes of the objects for ztunnel: policies that deny whoever shows no identity. */
  #tunnelModes(proxy: MeshProxy, port: number): readonly ServerMode[] {
    const [mesh, namespace] = this.#parents(proxy);
    const parent = namespace?.mode === undefined ? mesh : namespace;
    const open: ServerMode =
      parent?.mode === undefined ? { mode: 'PERMISSIVE' } : stated(parent, 'PERMISSIVE');
    const base: ServerMode = parent?.mode === 'STRICT' ? stated(parent, 'STRICT') : open;
    return this.#ofWorkload(proxy, base, one => {
      const ports = [...one.ports.values()];
      const own: ServerMode = one.mode === undefined ? base : stated(one, tunnelMode(one.mode));
      const exempt = (mode: TlsMode | undefined): boolean => mode === 'PERMISSIVE' || mode === 'DISABLE';
      const refers =
        one.mode === 'STRICT'
          ? ports.some(exempt)
          : one.mode === undefined && base.mode === 'STRICT'
            ? ports.includes('PERMISSIVE')
            : ports.includes('STRICT');
      if (!refers) return own;
      const strict = convertedPolicyDenies(one, namespace, mesh, port);
      return {
        mode: strict ? 'STRICT' : 'PERMISSIVE',
        object: one.object,
        path: one.ports.has(port)
          ? ['spec', 'portLevelMtls', String(port), 'mode']
          : ['spec', 'portLevelMtls'],
      };
    });
  }
}

function onPort(one: PeerAuthentication, port: number, base: ServerMode): ServerMode {
  const workload = one.mode === undefined ? base : stated(one, one.mode);
  if (!one.ports.has(port)) return workload;
  const mode = one.ports.get(port);
  if (mode === undefined) return workload;
  return { mode, object: one.object, path: ['spec', 'portLevelMtls', String(port), 'mode'] };
}

function stated({ object }: PeerAuthentication, mode: TlsMode): ServerMode {
  return { mode, object, path: ['spec', 'mtls', 'mode'] };
}

function modeOf(value: unknown): TlsMode | undefined {
  return MODES.includes(value as string) ? (value as TlsMode) : undefined;
}

function tunnelMode(mode: TlsMode): TlsMode {
  return mode === 'STRICT' ? 'STRICT' : 'PERMISSIVE';
}

/**
 * Whether the policy that istiod converts a PeerAuthentication to denies plain text on a port. Its quirks are kept:
 * where the namespace's object leaves the mode unset under a strict mesh, or a strict mesh stands over a workload that
 * is not, the conversion comes out empty, and nothing is denied.
 */
function convertedPolicyDenies(
  one: PeerAuthentication,
  namespace: PeerAuthentication | undefined,
  mesh: PeerAuthentication | undefined,
  port: number,
): boolean {
  const strictMesh = namespace?.mode === undefined && mesh?.mode === 'STRICT';
  const strictNamespace = namespace?.mode === 'STRICT';
  const groups: boolean[] = [];
  const exempt: number[] = [];
  for (const [number, mode] of one.ports) {
    if (mode === 'STRICT') {
      const byParent = one.mode === 'STRICT' || (one.mode === undefined && strictNamespace) || strictMesh;
      if (!byParent) groups.push(number === port);
    } else if (mode !== undefined) {
      if (one.mode === 'PERMISSIVE' || one.mode === 'DISABLE') continue;
      const open = namespace === undefined ? mesh?.mode !== 'STRICT' : namespace.mode !== 'STRICT';
      if (one.mode === undefined && open) continue;
      exempt.push(number);
    }
  }
  if (one.mode === 'STRICT' && exempt.length === 0) return false;
  if (one.mode === 'STRICT' || exempt.length > 0) groups.push(!exempt.includes(port));
  return groups.includes(true);
}

/** The mode in words, with what set it. */
export function describeMode({ mode, object }: ServerMode): string {
  const by =
    object === undefined
      ? 'no PeerAuthentication sets a mode'
      : `PeerAuthentication ${namespaceOf(object)}/${nameOf(object)}`;
  return `the port is ${mode}: ${by}`;
}
