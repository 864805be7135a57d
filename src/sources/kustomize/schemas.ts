/**
 * What is known of the types: which lists merge by which keys, and which kinds have no namespace. The built-in types
 * come from the OpenAPI document that Kustomize carries; a kustomization may bring its own with `openapi`.
 * Source: kyaml/openapi/openapi.go.
 */
import { isRecord } from '#kube/objects.ts';
import { BuildError } from './node.ts';

/** The schema of a place in an object. */
export interface Schema {
  field(name: string): Schema | undefined;
  elements(): Schema | undefined;
  readonly strategy: string;
  readonly keys: readonly string[];
}

type Generated = typeof import('./schema.generated.ts');

class BuiltIn implements Schema {
  readonly strategy: string;
  readonly keys: readonly string[];
  readonly #generated: Generated;
  readonly #row: number;
  #fields: Map<string, BuiltIn> | undefined;

  constructor(generated: Generated, row: number, strategy = '', keys: readonly string[] = []) {
    this.#generated = generated;
    this.#row = row;
    this.strategy = strategy;
    this.keys = keys;
  }

  field(name: string): Schema | undefined {
    if (this.#fields === undefined) {
      this.#fields = new Map();
      for (const entry of (this.#generated.rows[this.#row] ?? '').split(' ')) {
        const [field, rest = ''] = entry.split('=') as [string, string?];
        const [strategy = '', keys = '', row = ''] = rest.split('|');
        const list = keys === '' ? [] : keys.split(',');
        this.#fields.set(field, new BuiltIn(this.#generated, row === '' ? -1 : Number(row), strategy, list));
      }
    }
    return this.#fields.get(name);
  }

  elements(): Schema {
    return new BuiltIn(this.#generated, this.#row);
  }
}

/** A schema of a document that a kustomization names. */
class Custom implements Schema {
  readonly #schema: Readonly<Record<string, unknown>>;
  readonly #definitions: Readonly<Record<string, unknown>>;

  constructor(schema: Readonly<Record<string, unknown>>, definitions: Readonly<Record<string, unknown>>) {
    this.#schema = schema;
    this.#definitions = definitions;
  }

  get strategy(): string {
    const strategy = this.#schema['x-kubernetes-patch-strategy'];
    return typeof strategy === 'string' ? strategy : '';
  }

  get keys(): readonly string[] {
    if (this.strategy === '') return [];
    const keys = this.#schema['x-kubernetes-list-map-keys'];
    if (Array.isArray(keys)) return keys.map(String);
    const key = this.#schema['x-kubernetes-patch-merge-key'];
    return typeof key === 'string' ? [key] : [];
  }

  field(name: string): Schema | undefined {
    const properties = this.#schema['properties'];
    const known = isRecord(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    return this.#resolve(known ?? this.#schema['additionalProperties']);
  }

  elements(): Schema | undefined {
    return this.#schema['type'] === 'array' ? this.#resolve(this.#schema['items']) : undefined;
  }

  #resolve(schema: unknown): Schema | undefined {
    let current = schema;
    for (let hops = 0; isRecord(current) && typeof current['$ref'] === 'string'; hops++) {
      if (hops > 100) return undefined;
      const name = current['$ref'].replace('#/definitions/', '');
      current = Object.hasOwn(this.#definitions, name) ? this.#definitions[name] : undefined;
    }
    return isRecord(current) ? new Custom(current, this.#definitions) : undefined;
  }
}

/** The one version that kubectl 1.35 carries. */
const BUILT_IN_VERSION = 'v1.21.2';

/** Cluster-wide kinds of Kubernetes 1.21, and one that is gone since. Source: openapi.go (precomputed scopes). */
const CLUSTER_SCOPED = new Set(
  (
    'admissionregistration.k8s.io/v1,v1beta1:MutatingWebhookConfiguration,ValidatingWebhookConfiguration ' +
    'apiextensions.k8s.io/v1,v1beta1:CustomResourceDefinition apiregistration.k8s.io/v1,v1beta1:APIService ' +
    'certificates.k8s.io/v1,v1beta1:CertificateSigningRequest ' +
    'flowcontrol.apiserver.k8s.io/v1beta1:FlowSchema,PriorityLevelConfiguration ' +
    'networking.k8s.io/v1,v1beta1:IngressClass node.k8s.io/v1,v1beta1:RuntimeClass ' +
    'policy/v1beta1:PodSecurityPolicy rbac.authorization.k8s.io/v1,v1beta1:ClusterRole,ClusterRoleBinding ' +
    'scheduling.k8s.io/v1,v1beta1:PriorityClass ' +
    'storage.k8s.io/v1,v1beta1:CSIDriver,CSINode,StorageClass,VolumeAttachment ' +
    '/v1:ComponentStatus,Namespace,Node,NodeProxyOptions,PersistentVolume'
  )
    .split(' ')
    .flatMap(part => {
      const [group, kinds] = [part.slice(0, part.lastIndexOf(':')), part.slice(part.lastIndexOf(':') + 1)];
      const slash = group.indexOf('/');
      const name = group.slice(0, slash);
      return group
        .slice(slash + 1)
        .split(',')
        .flatMap(version =>
          kinds.split(',').map(kind => `${name === '' ? '' : `${name}/`}${version}/${kind}`),
        );
    }),
);

/**
 * The schemas of one build. Which of them are in force depends on what was asked before a kustomization brought its
 * own, as in Kustomize: its own is a process-wide state.
 */
export class Schemas {
  readonly #generated: Generated;
  #version = '';
  #custom: unknown;
  #ready = false;
  #delayed = false;
  #builtIn = false;
  readonly #byKind = new Map<string, Schema>();
  readonly #namespaced = new Map<string, boolean>();

  constructor(generated: Generated) {
    this.#generated = generated;
  }

  /** @param read the document that `path` names, as plain data */
  set(openapi: Readonly<Record<string, string>> | undefined, read: unknown, reset: boolean): void {
    if (!reset && (this.#version !== '' || this.#custom !== undefined)) return;
    const version = openapi?.['version'];
    if (read !== undefined) {
      if (version !== undefined)
        throw new BuildError('builtin version and custom schema provided, cannot use both');
      this.#custom = read;
      this.#version = 'custom';
      this.#ready = false;
      return;
    }
    this.#version = version ?? '';
    if (this.#version === '') return;
    if (this.#version !== BUILT_IN_VERSION)
      throw new BuildError('the specified OpenAPI version is not built in');
    this.#custom = undefined;
    this.#ready = false;
  }

  isClusterScoped(apiVersion: string, kind: string): boolean {
    const name = `${apiVersion}/${kind}`;
    if (CLUSTER_SCOPED.has(name)) return true;
    if (this.#generated.kinds.length === 0) return false;
    if (!this.#ready) {
      if (this.#custom !== undefined) this.#load();
      else if (this.#version === '' || this.#version === BUILT_IN_VERSION) {
        if (!this.#builtIn && !isPrecomputed(name)) this.#delayed = true;
      }
    }
    return this.#namespaced.get(name) === false;
  }

  of(apiVersion: string, kind: string): Schema | undefined {
    this.#load();
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  #load(): void {
    if (this.#ready) return;
    this.#ready = true;
    if (this.#custom === undefined) this.#loadBuiltIn();
    else {
      this.#loadCustom(this.#custom);
      if (this.#delayed) this.#loadBuiltIn();
    }
    this.#delayed = false;
  }

  #loadBuiltIn(): void {
    this.#builtIn = true;
    for (const [kind, row] of this.#generated.kinds)
      this.#byKind.set(kind, new BuiltIn(this.#generated, row));
  }

  #loadCustom(document: unknown): void {
    if (!isRecord(document)) throw new BuildError('invalid schema file: no OpenAPI document');
    const definitions = document['definitions'];
    if (isRecord(definitions))
      for (const schema of Object.values(definitions)) {
        if (!isRecord(schema)) continue;
        const kinds = schema['x-kubernetes-group-version-kind'];
        if (Array.isArray(kinds))
          for (const kind of kinds) {
            const name = kindName(kind);
            if (name !== undefined) this.#byKind.set(name, new Custom(schema, definitions));
          }
      }
    const paths = document['paths'];
    if (isRecord(paths))
      for (const [path, operations] of Object.entries(paths)) {
        const get = isRecord(operations) ? operations['get'] : undefined;
        const name = isRecord(get) ? kindName(get['x-kubernetes-group-version-kind']) : undefined;
        if (name === undefined) continue;
        if (path.includes('namespaces/{namespace}')) this.#namespaced.set(name, true);
        else if (!this.#namespaced.has(name)) this.#namespaced.set(name, false);
      }
  }
}

function kindName(kind: unknown): string | undefined {
  if (!isRecord(kind)) return undefined;
  const { group, version, kind: name } = kind;
  if (typeof version !== 'string' || typeof name !== 'string') return undefined;
  return `${typeof group === 'string' && group !== '' ? `${group}/` : ''}${version}/${name}`;
}

/** Kinds of Kubernetes 1.21 are known without a look into the document. */
function isPrecomputed(name: string): boolean {
  return PRECOMPUTED.test(name);
}

const PRECOMPUTED =
  /^(?:v1\/|apps\/v1\/|batch\/v1|autoscaling\/v(?:1|2beta)|coordination\.k8s\.io\/|discovery\.k8s\.io\/|events\.k8s\.io\/|extensions\/v1beta1\/Ingress$|networking\.k8s\.io\/|policy\/|rbac\.authorization\.k8s\.io\/|storage\.k8s\.io\/)/;
