/**
 * The permissions that lead somewhere else, as data: what a rule must allow for each of them, and of which names where
 * the rule is limited to names.
 */
import type { Attributes } from '#decide/authorization/attributes.ts';
import { type PolicyRule, ruleAllows } from '#decide/authorization/rules.ts';

type Wanted = Omit<Attributes, 'user' | 'namespace'>;

function wanted(verb: string, target: string, apiGroup = ''): Wanted {
  const [resource, subresource] = target.split('/');
  return {
    verb,
    resource: resource!,
    ...(subresource === undefined ? {} : { subresource }),
    apiGroup,
    resourceRequest: true,
  };
}

const each = (verbs: readonly string[], target: string, apiGroup = ''): Wanted[] =>
  verbs.map(verb => wanted(verb, target, apiGroup));

const RBAC = 'rbac.authorization.k8s.io';
const CERTIFICATES = 'certificates.k8s.io';
const AUTHENTICATION = 'authentication.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';
const CHANGE = ['update', 'patch'];
const WRITE = ['create', ...CHANGE];
const READ = ['get', 'list', 'watch'];

/** What a workload's controller makes pods of, by resource and group. */
const CONTROLLERS: readonly (readonly [resource: string, group: string])[] = [
  ['deployments', 'apps'],
  ['daemonsets', 'apps'],
  ['statefulsets', 'apps'],
  ['replicasets', 'apps'],
  ['replicationcontrollers', ''],
  ['jobs', 'batch'],
  ['cronjobs', 'batch'],
];

/** The order is the order in which a permission is named when several would do. */
const CAPABILITIES = {
  everything: [wanted('*', '*', '*')],
  writeClusterRoleBindings: each(WRITE, 'clusterrolebindings', RBAC),
  writeRoleBindings: each(WRITE, 'rolebindings', RBAC),
  bindClusterRoles: [wanted('bind', 'clusterroles', RBAC)],
  bindRoles: [wanted('bind', 'roles', RBAC)],
  createClusterRoles: [wanted('create', 'clusterroles', RBAC)],
  changeClusterRoles: each(CHANGE, 'clusterroles', RBAC),
  escalateClusterRoles: [wanted('escalate', 'clusterroles', RBAC)],
  changeRoles: each(CHANGE, 'roles', RBAC),
  escalateRoles: [wanted('escalate', 'roles', RBAC)],
  impersonateUsers: [wanted('impersonate', 'users')],
  impersonateGroups: [wanted('impersonate', 'groups')],
  impersonateAccounts: [wanted('impersonate', 'serviceaccounts')],
  actAsUsers: [wanted('impersonate:user-info', 'users', AUTHENTICATION)],
  actWithGroups: [wanted('impersonate:user-info', 'groups', AUTHENTICATION)],
  actAsAccounts: [wanted('impersonate:serviceaccount', 'serviceaccounts', AUTHENTICATION)],
  actAsNodes: [wanted('impersonate:arbitrary-node', 'nodes', AUTHENTICATION)],
  actAsOwnNode: [{ ...wanted('impersonate:associated-node', 'nodes', AUTHENTICATION), name: '*' }],
  requestTokens: [wanted('create', 'serviceaccounts/token')],
  readSecrets: each(READ, 'secrets'),
  createSecrets: [wanted('create', 'secrets')],
  createPods: [
    wanted('create', 'pods'),
    ...CONTROLLERS.map(([resource, group]) => wanted('create', resource, group)),
  ],
  changeWorkloads: [
    ...CONTROLLERS.flatMap(([resource, group]) => each(CHANGE, resource, group)),
    wanted('patch', 'pods'),
  ],
  enterPods: [
    ...each(['create', 'get'], 'pods/exec'),
    ...each(['create', 'get'], 'pods/attach'),
    ...each(CHANGE, 'pods/ephemeralcontainers'),
  ],
  proxyNodes: each(['create', 'get'], 'nodes/proxy'),
  createRequests: [wanted('create', 'certificatesigningrequests', CERTIFICATES)],
  approveRequests: each(CHANGE, 'certificatesigningrequests/approval', CERTIFICATES),
  approveSigners: [wanted('approve', 'signers', CERTIFICATES)],
  requestNodeCertificates: [wanted('create', 'certificatesigningrequests/nodeclient', CERTIFICATES)],
  writeMutatingWebhooks: each(WRITE, 'mutatingwebhookconfigurations', ADMISSION),
  writeValidatingWebhooks: each(WRITE, 'validatingwebhookconfigurations', ADMISSION),
  writeMutatingPolicies: each(WRITE, 'mutatingadmissionpolicies', ADMISSION),
  writeMutatingPolicyBindings: each(WRITE, 'mutatingadmissionpolicybindings', ADMISSION),
  writeApiServices: each(WRITE, 'apiservices', 'apiregistration.k8s.io'),
  changeDefinitions: each(CHANGE, 'customresourcedefinitions', 'apiextensions.k8s.io'),
  createVolumes: [wanted('create', 'persistentvolumes')],
  createClaims: [wanted('create', 'persistentvolumeclaims')],
  changeNamespaces: each(CHANGE, 'namespaces'),
  changeConfigMaps: each(CHANGE, 'configmaps'),
} satisfies Readonly<Record<string, readonly Wanted[]>>;

export type Capability = keyof typeof CAPABILITIES;

/** What each is good for to somebody who means harm, alone or with what the words after "with" name. */
export const WORTH: Readonly<Record<Capability, string>> = {
  everything: 'everything there is',
  writeClusterRoleBindings: 'give others what one holds; with bind, give oneself any ClusterRole',
  writeRoleBindings: 'give others what one holds; with bind, give oneself any role in the namespace',
  bindClusterRoles: 'with writing of bindings, give oneself ClusterRoles that one does not hold',
  bindRoles: 'with writing of bindings, give oneself Roles that one does not hold',
  createClusterRoles: 'with escalate, make a role of every permission',
  changeClusterRoles: 'with escalate, add every permission to a role that one has',
  escalateClusterRoles: 'with writing of ClusterRoles, add permissions that one does not hold',
  changeRoles: 'with escalate, add every permission to a role that one has',
  escalateRoles: 'with writing of Roles, add permissions that one does not hold',
  impersonateUsers: 'act as other users',
  impersonateGroups: 'act with other groups, system:masters too where no names limit it',
  impersonateAccounts: 'act as service accounts',
  actAsUsers: 'act as other users in what impersonate-on allows',
  actWithGroups: 'act with other groups in what impersonate-on allows, system:masters excepted',
  actAsAccounts: 'act as service accounts in what impersonate-on allows',
  actAsNodes: 'act as any node in what impersonate-on allows',
  actAsOwnNode: 'act as the node one runs on in what impersonate-on allows',
  requestTokens: 'get a token of a service account, and be it from anywhere',
  readSecrets: 'read passwords, keys and tokens',
  createSecrets: 'with reading of secrets, get a lasting token of a service account',
  createPods:
    'run code as any service account of the namespace, and take the node where privileged pods are admitted',
  changeWorkloads: 'run code in workloads that are there, as their service accounts',
  enterPods: 'run commands in pods that are there, as their service accounts',
  proxyNodes: 'run commands in every pod of a node through the kubelet, past the audit log',
  createRequests: 'with approval, have a client certificate made in a name of one’s choice',
  approveRequests: 'with approve on the signer, have certificates made',
  approveSigners: 'with approval of requests, have certificates made',
  requestNodeCertificates: 'have a client certificate of any node made, approved by itself',
  writeMutatingWebhooks: 'read and change what everybody writes to the API server',
  writeValidatingWebhooks: 'read what everybody writes to the API server, and refuse it',
  writeMutatingPolicies: 'with their bindings, change what everybody writes to the API server',
  writeMutatingPolicyBindings: 'with their policies, change what everybody writes to the API server',
  writeApiServices: 'answer for groups of the API, and see what everybody writes there',
  changeDefinitions:
    'change custom resources under the controllers that act on them, through a conversion webhook',
  createVolumes: 'with pods and claims, reach the disk of a node',
  createClaims: 'with PersistentVolumes, reach the disk of a node',
  changeNamespaces: 'take Pod Security labels away',
  changeConfigMaps: 'change how workloads behave; with aws-auth, become system:masters on EKS',
};

/** A capability that a rule gives. */
export interface Given {
  readonly capability: Capability;
  /** In the words of the rule's request: `create pods`, `update deployments.apps`. */
  readonly words: string;
  /** The verbs of them that the rule allows. */
  readonly verbs: readonly string[];
  /** Only of these; all where it is not stated. */
  readonly names?: readonly string[];
  /** Of changes to workloads: the resources, for each kind of workload has its own. */
  readonly resources?: readonly string[];
  /** The index of the rule in its role. */
  readonly rule: number;
}

const LISTED = Object.entries(CAPABILITIES) as [Capability, readonly Wanted[]][];

/**
 * The capabilities that rules give, each rule's own.
 *
 * A rule limited to names never allows the creation of a named object, for the name is not known when the request is
 * authorized; subresources are created by the name of their parent, so there the names count.
 */
export function capabilitiesOf(rules: readonly PolicyRule[]): Given[] {
  const given: Given[] = [];
  rules.forEach((rule, index) => {
    const { resourceNames = [] } = rule;
    const unnamed: PolicyRule = { ...rule, resourceNames: [] };
    for (const [capability, requests] of LISTED) {
      const hits = requests.filter(
        request =>
          ruleAllows(unnamed, { ...request, user: {} }) &&
          (resourceNames.length === 0 || request.verb !== 'create' || request.subresource !== undefined),
      );
      const [hit] = hits;
      if (hit === undefined) continue;
      given.push({
        capability,
        words: wordsOf(hit),
        verbs: [...new Set(hits.map(({ verb }) => verb ?? ''))],
        rule: index,
        ...(capability === 'changeWorkloads'
          ? { resources: [...new Set(hits.map(({ resource }) => resource ?? ''))] }
          : {}),
        ...(resourceNames.length === 0 ? {} : { names: resourceNames }),
      });
    }
  });
  return given;
}

/** The modes of constrained impersonation, by what must be allowed on the identity. */
export type Mode = 'user-info' | 'serviceaccount' | 'arbitrary-node' | 'associated-node';

/** Whether rules may say in which requests somebody else may be impersonated. */
export function limitsImpersonation(rules: readonly PolicyRule[]): boolean {
  return rules.some(({ verbs = [] }) =>
    verbs.some(verb => verb === '*' || verb.startsWith('impersonate-on:')),
  );
}

/** The verb that must be allowed on what is asked while one acts as somebody else. */
export function onVerb(mode: Mode, verb: string): string {
  return `impersonate-on:${mode}:${verb}`;
}

/** A capability of somebody else that may be used while acting as them. */
export interface GivenOn extends Given {
  /** The index of the rule that allows it while impersonating. */
  readonly on: number;
  readonly onWords: string;
}

/**
 * What both the rules of somebody else and those of whoever acts as them allow, request by request. Source: apiserver
 * pkg/endpoints/filters/impersonation/constrained_impersonation.go.
 */
export function capabilitiesBoth(
  mode: Mode,
  rules: readonly PolicyRule[],
  onRules: readonly PolicyRule[],
): GivenOn[] {
  const given: GivenOn[] = [];
  onRules.forEach((onRule, on) => {
    if (!limitsImpersonation([onRule])) return;
    const onNames = onRule.resourceNames ?? [];
    for (const one of capabilitiesOf(rules)) {
      const rule = { ...rules[one.rule]!, resourceNames: [] };
      const names =
        one.names === undefined || onNames.length === 0
          ? (one.names ?? (onNames.length === 0 ? undefined : onNames))
          : one.names.filter(name => onNames.includes(name));
      if (names?.length === 0) continue;
      const hits = CAPABILITIES[one.capability].filter(
        (request: Wanted) =>
          request.verb !== '*' &&
          ruleAllows(rule, { ...request, user: {} }) &&
          ruleAllows(
            { ...onRule, resourceNames: [] },
            {
              ...request,
              verb: onVerb(mode, request.verb ?? ''),
              user: {},
            },
          ) &&
          (names === undefined || request.verb !== 'create' || request.subresource !== undefined),
      );
      const [hit] = hits;
      if (hit === undefined) continue;
      given.push({
        ...one,
        words: wordsOf(hit),
        verbs: [...new Set(hits.map(({ verb }: Wanted) => verb ?? ''))],
        ...(one.resources === undefined
          ? {}
          : { resources: [...new Set(hits.map(({ resource }: Wanted) => resource ?? ''))] }),
        ...(names === undefined ? {} : { names }),
        on,
        onWords: wordsOf({ ...hit, verb: onVerb(mode, hit.verb ?? '') }),
      });
    }
  });
  return given;
}

function wordsOf({ verb, resource, subresource, apiGroup }: Wanted): string {
  if (resource === '*') return 'everything';
  const group = apiGroup === '' || apiGroup === undefined ? '' : `.${apiGroup}`;
  return `${verb} ${resource}${group}${subresource === undefined ? '' : `/${subresource}`}`;
}
