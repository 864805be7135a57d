/**
 * What an entry of an audit log says, whatever it is wrapped in. Sources: apiserver pkg/apis/audit/{v1,v1beta1,v1alpha1}
 * (Event, EventList); Google Cloud Logging, LogEntry and AuditLog with serviceName k8s.io; Amazon CloudWatch Logs
 * (FilterLogEvents, GetQueryResults of Insights, the data of subscription filters); Azure Monitor, category kube-audit,
 * and its tables AzureDiagnostics, AKSAudit, AKSAuditAdmin, ArcK8sAudit and ArcK8sAuditAdmin, whose columns are those of
 * the Azure Monitor Logs reference ("AKSAudit"). They have none for who was impersonated: there such a request counts as
 * one of whoever made it.
 *
 * Google's documents name the objects of an entry (LogEntry, AuditLog, methods that begin with `io.k8s.`), and not how a
 * request of Kubernetes is put into them. That rests on entries of real clusters in the tests of public parsers, such as
 * panther-labs/panther (log_processor/parsers). Of an attempt that was refused `granted` is left out there, and
 * `status.code` is 7 (google.rpc.Code, PERMISSION_DENIED).
 */
import { isRecord, valueAt } from './objects.ts';

/** One entry, still in the API server's words. */
export interface AuditEvent {
  readonly user: string;
  readonly groups: readonly string[];
  readonly impersonated?: {
    readonly user: string;
    readonly groups: readonly string[];
    readonly uid?: string;
    readonly extra: Readonly<Record<string, readonly string[]>>;
  };
  /** Of constrained impersonation: the verb that was allowed on the identity, for example `impersonate:user-info`. */
  readonly constraint?: string;
  readonly verb: string;
  /** With its query string, as the client sent it. */
  readonly requestUri?: string;
  readonly object?: {
    readonly namespace: string;
    readonly apiGroup: string;
    readonly resource: string;
    readonly subresource: string;
    readonly name: string;
  };
  readonly stage: string;
  /** `allow` or `forbid`; undefined where the entry does not say. */
  readonly decision?: string;
  /** The HTTP status. */
  readonly code?: number;
  /** Of a binding that was written, where the log holds the object: the role that it names. */
  readonly bound?: { readonly kind: string; readonly name: string };
  /** Of a certificate request or a trust bundle that was written, where the log holds the object. */
  readonly signer?: string;
}

/** Wrappers stand in wrappers; more than this no known service makes. */
const MAX_WRAPPERS = 6;

/** The events that a value holds; empty for anything that is no entry of an audit log. */
export function auditEventsOf(value: unknown, depth = 0): AuditEvent[] {
  if (depth > MAX_WRAPPERS) return [];
  if (typeof value === 'string') {
    const parsed = parseEntry(value);
    return parsed === undefined ? [] : auditEventsOf(parsed, depth + 1);
  }
  if (Array.isArray(value)) return value.flatMap(item => auditEventsOf(item, depth + 1));
  if (!isRecord(value)) return [];
  const apiVersion = value['apiVersion'];
  if (typeof apiVersion === 'string' && apiVersion.startsWith('audit.k8s.io/')) {
    const items = value['items'];
    if (Array.isArray(items)) return items.flatMap(item => auditEventsOf(item, depth + 1));
  }
  // The items of an EventList repeat neither apiVersion nor kind.
  const event = plainEvent(value);
  if (event !== undefined) return [event];
  if (isRecord(value['protoPayload'])) return googleEvent(value, value['protoPayload']);
  if (typeof value['Verb'] === 'string' && 'RequestUri' in value) {
    const row = plainEvent(fromTable(value));
    return row === undefined ? [] : [row];
  }
  for (const key of [
    'items',
    'events',
    'logEvents',
    'entries',
    'records',
    'results',
    'message',
    'log',
    'log_s',
    'properties',
  ])
    if (Object.hasOwn(value, key)) {
      const inner = auditEventsOf(value[key], depth + 1);
      if (inner.length > 0) return inner;
    }
  // CloudWatch Logs Insights: a row is a list of fields.
  return value['field'] === '@message' ? auditEventsOf(value['value'], depth + 1) : [];
}

/** JSON, after a time where a service wrote one before it. */
export function parseEntry(text: string): unknown {
  const start = text.search(/[{[]/);
  if (start < 0) return undefined;
  try {
    return JSON.parse(start === 0 ? text : text.slice(start)) as unknown;
  } catch {
    return undefined;
  }
}

/** The columns of a row of AKSAudit and its kin under the names of the API; a dynamic column may come as text. */
function fromTable(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = { requestURI: row['RequestUri'] };
  for (const name of [
    'Annotations',
    'ImpersonatedUser',
    'ObjectRef',
    'RequestObject',
    'ResponseObject',
    'ResponseStatus',
    'Stage',
    'User',
    'Verb',
  ]) {
    const value = row[name];
    fields[name[0]!.toLowerCase() + name.slice(1)] =
      typeof value === 'string' && value.startsWith('{') ? parseEntry(value) : value;
  }
  return fields;
}

function plainEvent(value: Readonly<Record<string, unknown>>): AuditEvent | undefined {
  const verb = textAt(value, 'verb');
  const user = textAt(value, 'user', 'username');
  if (verb === '' || !isRecord(value['user'])) return undefined;
  const object = value['objectRef'];
  const impersonated = value['impersonatedUser'];
  const decision = textAt(value, 'annotations', 'authorization.k8s.io/decision');
  const code = valueAt(value, ['responseStatus', 'code']);
  const requestUri = textAt(value, 'requestURI');
  const constraint = textAt(value, 'authenticationMetadata', 'impersonationConstraint');
  return {
    user,
    groups: textsAt(value, 'user', 'groups'),
    ...(isRecord(impersonated)
      ? {
          impersonated: {
            user: textAt(impersonated, 'username'),
            groups: textsAt(impersonated, 'groups'),
            ...(textAt(impersonated, 'uid') === '' ? {} : { uid: textAt(impersonated, 'uid') }),
            extra: Object.fromEntries(
              Object.keys(isRecord(impersonated['extra']) ? impersonated['extra'] : {}).map(key => [
                key,
                textsAt(impersonated, 'extra', key),
              ]),
            ),
          },
        }
      : {}),
    ...(constraint === '' ? {} : { constraint }),
    verb,
    ...(requestUri === '' ? {} : { requestUri }),
    ...(isRecord(object)
      ? {
          object: {
            namespace: textAt(object, 'namespace'),
            apiGroup: textAt(object, 'apiGroup'),
            resource: textAt(object, 'resource'),
            subresource: textAt(object, 'subresource'),
            name: textAt(object, 'name'),
          },
        }
      : {}),
    stage: textAt(value, 'stage'),
    ...(decision === '' ? {} : { decision }),
    ...(typeof code === 'number' ? { code } : {}),
    ...(isRecord(object) && WRITES.has(verb) ? writtenIn(value, textAt(object, 'resource')) : {}),
  };
}

const WRITES = new Set(['create', 'update', 'patch']);

/** What the API server asks about beside the request itself, as far as the log holds the object that was written. */
function writtenIn(
  value: Readonly<Record<string, unknown>>,
  resource: string,
): Pick<AuditEvent, 'bound' | 'signer'> {
  // A patch is no object; what came of it is one.
  const first = (...path: string[]): string =>
    textAt(value, 'requestObject', ...path) || textAt(value, 'responseObject', ...path);
  if (resource === 'rolebindings' || resource === 'clusterrolebindings') {
    const [kind, name] = [first('roleRef', 'kind'), first('roleRef', 'name')];
    return kind === '' || name === '' ? {} : { bound: { kind, name } };
  }
  if (resource === 'certificatesigningrequests' || resource === 'clustertrustbundles') {
    const signer = first('spec', 'signerName');
    return signer === '' ? {} : { signer };
  }
  return {};
}

/** Of google.rpc.Code. */
const PERMISSION_DENIED = 7;

/**
 * `io.k8s.apps.v1.deployments.status.patch` of `apps/v1/namespaces/shop/deployments/web/status`: one entry a request.
 */
function googleEvent(
  entry: Readonly<Record<string, unknown>>,
  payload: Readonly<Record<string, unknown>>,
): AuditEvent[] {
  const method = textAt(payload, 'methodName');
  const user = textAt(payload, 'authenticationInfo', 'principalEmail');
  // The service says so; what is filtered out of an entry may have left only the method.
  if ((payload['serviceName'] !== 'k8s.io' && !method.startsWith('io.k8s.')) || user === '') return [];
  const verb = method.slice(method.lastIndexOf('.') + 1);
  const [group = '', , ...rest] = textAt(payload, 'resourceName').split('/');
  // Below a namespace stand its own subresources too. Source: apiserver pkg/endpoints/request/requestinfo.go.
  const own = rest.length === 3 && (rest[2] === 'status' || rest[2] === 'finalize');
  const scoped = rest[0] === 'namespaces' && rest.length > 2 && !own;
  const [resource = '', name = '', ...sub] = scoped ? rest.slice(2) : rest;
  if (resource === '') return [];
  const granted = valueAt(payload, ['authorizationInfo', 0, 'granted']);
  const label = textAt(entry, 'labels', 'authorization.k8s.io/decision');
  const refused = granted === false || valueAt(payload, ['status', 'code']) === PERMISSION_DENIED;
  const decision = label !== '' ? label : refused ? 'forbid' : granted === true ? 'allow' : '';
  return [
    {
      user,
      groups: [],
      verb,
      object: {
        namespace: scoped ? rest[1]! : resource === 'namespaces' ? name : '',
        apiGroup: group === 'core' ? '' : group,
        resource,
        // What stands behind it is the path of a proxy. Source: apiserver pkg/endpoints/request/requestinfo.go.
        subresource: sub[0] ?? '',
        name,
      },
      stage: 'ResponseComplete',
      ...(decision === '' ? {} : { decision }),
    },
  ];
}

function textAt(value: unknown, ...path: string[]): string {
  const found = valueAt(value, path);
  return typeof found === 'string' ? found : '';
}

function textsAt(value: unknown, ...path: string[]): string[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found.filter(item => typeof item === 'string') : [];
}
