/** What is submitted, and the variables of an expression about it. Source: apiserver pkg/admission/plugin/cel/compile.go. */
import {
  type Ask,
  AUTHORIZER,
  AuthorizerValue,
  RESOURCE_CHECK,
  ResourceCheck,
} from '#decide/cel/authorizer.ts';
import { BOOL, DYN, INT, listOf, mapOf, objectOf, STRING, TIMESTAMP, type Type } from '#decide/cel/types.ts';
import { CelUnknown, type CelValue, fromJson } from '#decide/cel/values.ts';
import type { KubeObject } from '#kube/objects.ts';

export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly kind: Kind;
  readonly resource: Resource;
  readonly subResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly object?: KubeObject;
  readonly oldObject?: KubeObject;
  readonly userInfo?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly dryRun?: boolean;
  readonly options?: unknown;
}

const KIND = objectOf('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING });
const RESOURCE = objectOf('kubernetes.GroupVersionResource', {
  group: STRING,
  version: STRING,
  resource: STRING,
});
const REQUEST = objectOf('kubernetes.AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: objectOf('kubernetes.UserInfo', {
    username: STRING,
    uid: STRING,
    groups: listOf(STRING),
    extra: mapOf(STRING, listOf(STRING)),
  }),
  dryRun: BOOL,
  options: DYN,
});
const TEXTS = mapOf(STRING, STRING);
const NAMESPACE = objectOf('kubernetes.Namespace', {
  metadata: objectOf('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: TEXTS,
    annotations: TEXTS,
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: listOf(STRING),
  }),
  spec: objectOf('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
  status: objectOf('kubernetes.NamespaceStatus', {
    conditions: listOf(
      objectOf('kubernetes.NamespaceCondition', {
        status: STRING,
        type: STRING,
        lastTransitionTime: TIMESTAMP,
        message: STRING,
        reason: STRING,
      }),
    ),
    phase: STRING,
  }),
});

/** The variables that an expression may use; `variables` are those of the policy itself. */
export function declarationsOf(options: {
  readonly params: boolean;
  readonly authorizer: boolean;
  readonly variables?: Readonly<Record<string, Type>>;
}): Readonly<Record<string, Type>> {
  return {
    object: DYN,
    oldObject: DYN,
    namespaceObject: NAMESPACE,
    request: REQUEST,
    ...(options.params ? { params: DYN } : {}),
    ...(options.authorizer ? { authorizer: AUTHORIZER, 'authorizer.requestResource': RESOURCE_CHECK } : {}),
    ...(options.variables === undefined
      ? {}
      : { variables: objectOf('kubernetes.variables', options.variables) }),
  };
}

/** Their values. The namespace is undefined where it is not known, null where there is none. */
export function valuesOf(
  request: AdmissionRequest,
  params: KubeObject | null,
  namespace: KubeObject | null | undefined,
  ask: Ask,
): Record<string, CelValue> {
  const { kind, resource, userInfo = {} } = request;
  const user = {
    ...(userInfo.username === undefined ? {} : { name: userInfo.username }),
    ...(userInfo.uid === undefined ? {} : { uid: userInfo.uid }),
    groups: userInfo.groups ?? [],
    extra: userInfo.extra ?? {},
  };
  return {
    object: fromJson(request.object ?? null),
    oldObject: fromJson(request.oldObject ?? null),
    params: fromJson(params),
    namespaceObject:
      namespace === undefined
        ? new CelUnknown(`the namespace "${request.namespace ?? ''}" is not in the input`)
        : fromJson(namespace === null ? null : namespaceFields(namespace)),
    request: fromJson({
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      ...(request.subResource === undefined
        ? {}
        : { subResource: request.subResource, requestSubResource: request.subResource }),
      name: request.name ?? '',
      namespace: request.namespace ?? '',
      operation: request.operation,
      userInfo,
      dryRun: request.dryRun ?? false,
      options: request.options ?? null,
    }),
    authorizer: AuthorizerValue.of(ask, user),
    'authorizer.requestResource': new ResourceCheck(ask, user, {
      resourceRequest: true,
      apiGroup: resource.group,
      apiVersion: '*',
      resource: resource.resource,
      subresource: request.subResource ?? '',
      namespace: request.namespace ?? '',
      name: request.name ?? '',
    }),
  };
}

/** Only what the type of `namespaceObject` has. */
function namespaceFields({ metadata, spec, status }: KubeObject): object {
  const { managedFields: _managed, ownerReferences: _owners, ...rest } = metadata ?? {};
  return { metadata: rest, spec: spec ?? {}, status: status ?? {} };
}
