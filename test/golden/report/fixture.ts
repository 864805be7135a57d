/** A report with a finding of every kind, things that could not be judged, and odd text, for golden files. */
import type { CheckDescription, Finding, Report } from '#check/finding.ts';
import { practices } from '#check/practices.ts';
import { severities } from '#check/severity.ts';
import type { ReportOptions } from '#report/reporter.ts';

/** The files that the report is about: what stands in them is what a report shows. */
const FILES: Readonly<Record<string, string>> = {
  'deploy/cart.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  namespace: shop
spec:
  template:
    spec:
      hostNetwork: true
      containers:
        - name: cart
          image: registry.example.com/cart:latest
          securityContext:
            privileged: true
        - name: proxy
          image: registry.example.com/proxy:latest
          env:
            - name: DATABASE_PASSWORD
              value: correct-horse-battery-staple
`,
  'deploy/odd names/größe 100%.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: {name: odd}\nspec:\n\thostPID: true # a tab, and then 日本語 and \u001b[31mred\u001b[0m ##[error]no\n  # ::error::no\n  hostIPC: true # größe: 日本語 hostIPC\n',
  'rbac/admin.yaml': `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: everyone }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects:
  - { kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:authenticated" }
`,
};

const CHECKS: readonly CheckDescription[] = [
  check('pod-security/privileged', 'critical', 'Privileged container', 'It owns the node.', 'Remove it.'),
  check(
    'pod-security/host-namespaces',
    'high',
    'Pod shares namespaces with its node',
    'Processes, sockets and memory of the node are in reach.',
    'Remove hostNetwork, hostPID and hostIPC.',
  ),
  check(
    'cicd/image-tag',
    'medium',
    'Image without a version',
    'What runs tomorrow is not what was tested today.',
    'Name a version, or better a digest.',
  ),
  check(
    'cicd/literal-credential',
    'high',
    'Credential written into a manifest',
    'Everybody who can read the repository has it.',
    'Refer to a Secret, and change the credential.',
  ),
  check(
    'authorization/cluster-admin',
    'critical',
    'Binding grants everything',
    'Whoever is bound owns the cluster.',
    'Bind a role that holds what is needed.',
  ),
  check('production/old-version', 'low', 'Old version', 'It gets no patches.', 'Upgrade.'),
  check('mesh/plaintext-port', 'info', 'Port in plain text', 'Neighbours can listen.', 'Use mutual TLS.'),
];

function check(
  id: string,
  severity: CheckDescription['severity'],
  title: string,
  why: string,
  remediation: string,
): CheckDescription {
  const practice = practices.find(one => id.startsWith(`${one}/`))!;
  return {
    id,
    practice,
    title,
    severity,
    why,
    remediation,
    frameworks: ['PSS baseline', 'CIS 5.2.2'],
    since: '0.1.0',
  };
}

/** `line:column-endColumn` in a file, and the path inside the object. */
type Place = readonly [line: number, column: number, endColumn: number, path: string];

let findingsMade = 0;

function finding(
  id: string,
  file: string,
  object: Finding['object'],
  message: string,
  places: readonly [Place, ...Place[]],
  more: Partial<Finding> = {},
): Finding {
  const { practice, title, severity, why, remediation, frameworks } = CHECKS.find(one => one.id === id)!;
  const occurrences = places.map(([line, column, endColumn, path]) => ({
    file,
    line,
    column,
    endLine: line,
    endColumn,
    path,
  }));
  const [first] = occurrences;
  return {
    check: id,
    title,
    severity,
    practice,
    object,
    ...first!,
    occurrences,
    message,
    why,
    remediation,
    frameworks,
    fingerprint: (++findingsMade).toString(16).padStart(32, '0'),
    ...more,
  };
}

const CART = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'cart' };
const ODD = { apiVersion: 'v1', kind: 'Pod', name: 'odd' };
const ODD_FILE = 'deploy/odd names/größe 100%.yaml';

const findings: readonly Finding[] = [
  finding('pod-security/host-namespaces', 'deploy/cart.yaml', CART, 'hostNetwork=true', [
    [9, 7, 24, 'spec.template.spec.hostNetwork'],
  ]),
  finding(
    'cicd/image-tag',
    'deploy/cart.yaml',
    CART,
    'containers "cart", "proxy": images "registry.example.com/cart:latest", "registry.example.com/proxy:latest" are whatever is latest',
    [
      [12, 11, 50, 'spec.template.spec.containers[0].image'],
      [16, 11, 51, 'spec.template.spec.containers[1].image'],
    ],
  ),
  finding(
    'pod-security/privileged',
    'deploy/cart.yaml',
    CART,
    'container "cart" must not set securityContext.privileged=true',
    [[14, 13, 29, 'spec.template.spec.containers[0].securityContext.privileged']],
    {
      fix: {
        title: 'Take the privileges away',
        kind: 'review',
        changes: [
          {
            op: 'set',
            path: ['spec', 'template', 'spec', 'containers', 0, 'securityContext', 'privileged'],
            value: false,
          },
          // A number that only a bigint holds.
          { op: 'append', path: ['spec', 'odd'], value: { __proto__: null, uid: 9007199254740993n } },
        ],
      },
    },
  ),
  finding(
    'cicd/literal-credential',
    'deploy/cart.yaml',
    CART,
    'container "proxy": "DATABASE_PASSWORD" has a literal value (corr…)',
    [[19, 15, 50, 'spec.template.spec.containers[1].env[0].value']],
    { sensitive: true },
  ),
  finding('pod-security/host-namespaces', ODD_FILE, ODD, 'hostPID=true', [[5, 2, 15, 'spec.hostPID']]),
  finding('pod-security/host-namespaces', ODD_FILE, ODD, 'hostIPC=true', [[7, 3, 16, 'spec.hostIPC']]),
  finding(
    'cicd/image-tag',
    ODD_FILE,
    { apiVersion: 'v1', kind: 'Pod', namespace: 'a|b', name: '</script><img src=x onerror=alert(1)>' },
    'container "\u202etxt.exe `*_[x](https://evil.example)": image "=cmd()|@everyone\n::error::owned ##[add-mask]a ]]> --> #1 \u001b]0;title\u0007"',
    [[40, 1, 5, 'spec.containers[0].image']],
  ),
  ...Array.from({ length: 7 }, (_, at) =>
    finding(
      'mesh/plaintext-port',
      `mesh/service-${at}.yaml`,
      { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: `service-${at}` },
      'port 80 is plain text',
      [[3, 5, 9, 'spec.ports[0]']],
    ),
  ),
  finding(
    'production/old-version',
    'nodes.yaml',
    { apiVersion: 'v1', kind: 'Node', name: '' },
    'v1.20 is old',
    [[1, 1, 1, 'status']],
  ),
  finding(
    'authorization/cluster-admin',
    'rbac/admin.yaml',
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', name: 'everyone' },
    'group "system:authenticated" may do everything in the whole cluster, by role "cluster-admin"',
    [
      [4, 1, 89, 'roleRef'],
      [6, 5, 87, 'subjects[0]'],
    ],
  ),
];

const unknowns: Report['unknowns'] = [
  { file: 'broken.yaml', line: 3, column: 7, reason: 'not valid YAML: a value was expected' },
  { file: 'charts/shop', reason: 'a chart: not rendered yet' },
  { file: 'charts/bank', reason: 'a chart: not rendered yet' },
  {
    file: 'deploy/cart.yaml',
    line: 12,
    object: CART,
    check: 'cicd/image-tag',
    reason: 'the check failed: ]]>',
  },
  { reason: 'the scan was cut short after 60 seconds' },
];

const counts = Object.fromEntries(
  severities.map(severity => [severity, findings.filter(one => one.severity === severity).length]),
) as Report['summary']['findings'];

export const golden: Report = {
  schema: 'sallyport-report/1',
  version: '1.2.3',
  summary: {
    files: 14,
    documents: 20,
    objects: 17,
    workloads: 3,
    findings: counts,
    unknowns: unknowns.length,
  },
  findings,
  unknowns,
  checks: CHECKS,
};

export const clean: Report = {
  ...golden,
  findings: [],
  unknowns: [],
  summary: {
    ...golden.summary,
    findings: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
    unknowns: 0,
  },
};

export const options: ReportOptions = {
  color: false,
  width: 80,
  verbose: false,
  failOn: 'high',
  allowUnknown: false,
  time: '2026-01-31T12:00:00.000Z',
  source: (file, line) => (Object.hasOwn(FILES, file) ? FILES[file]!.split('\n')[line - 1] : undefined),
  diff: ({ fix }) =>
    fix === undefined ? undefined : ['-              privileged: true', '+              privileged: false'],
};
