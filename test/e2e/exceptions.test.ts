/** Exceptions: what they except, what they never widen to, and what is said of them. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { version } from '#judge/report.ts';
import { folderOf, pod, run } from './program.ts';

const agent = (more: { metadata?: string; first?: string; second?: string; top?: string } = {}) =>
  `${more.top ?? ''}apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: ops }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata:${more.metadata ?? ''}
      labels: { app: agent }
    spec:
      containers:
      ${more.first ?? '# one'}
      - name: one
        image: one:1.0
        securityContext: { privileged: true }
      - name: two
        image: two:1.0
        securityContext:
          privileged: true ${more.second ?? ''}
`;

interface Shown {
  readonly findings: readonly { readonly check: string; readonly line: number; readonly message: string }[];
  readonly excepted?: readonly {
    readonly finding: { readonly message: string; readonly check: string };
    readonly exception: { readonly owner: string; readonly until?: string; readonly line: number };
  }[];
}

function scan(
  files: Record<string, string>,
  ...words: string[]
): Shown & { code: number | null; err: string } {
  const { code, out, err } = run(folderOf(files), [
    'scan',
    '--format',
    'json',
    '--check',
    'pod-security/privileged',
    ...words,
  ]);
  return { ...(out === '' ? { findings: [] } : (JSON.parse(out) as Shown)), code, err };
}

const messages = ({ findings }: Shown) => findings.map(({ message }) => message);
const allow = '# sallyport: allow pod-security/privileged -- it loads a module (owner @ops)';
const ONE = 'container "one" must not set securityContext.privileged=true';
const TWO = 'container "two" must not set securityContext.privileged=true';
const BOTH = 'containers "one", "two" must not set securityContext.privileged=true';

describe('a comment', () => {
  const cases: readonly (readonly [string, Parameters<typeof agent>[0], readonly string[]])[] = [
    ['above a container excepts that container', { first: allow }, [TWO]],
    ['on the line excepts that line', { second: allow }, [ONE]],
    ["on the pod template's metadata excepts the pod", { metadata: ` ${allow}` }, []],
    ["below the pod template's metadata too", { metadata: `\n      ${allow}` }, []],
    ['above the object excepts the object', { top: `${allow}\n` }, []],
    ['with a container excepts only it', { top: `${allow.replace('@ops', '@ops, container two')}\n` }, [ONE]],
    ['of another check excepts nothing', { first: allow.replace('privileged', 'host-port') }, [BOTH]],
    ['that ended excepts nothing', { first: allow.replace('@ops', '@ops, until 2020-01-31') }, [BOTH]],
    [
      'with an environment excepts nothing elsewhere',
      { first: allow.replace('@ops', '@ops, environment x') },
      [BOTH],
    ],
  ];
  for (const [name, where, expected] of cases)
    it(name, () => {
      const shown = scan({ 'a.yaml': agent(where) });
      assert.deepEqual(
        messages(shown).filter(message => message.includes('privileged=true')),
        expected,
      );
    });

  it('is listed with who, and until when', () => {
    const { excepted } = scan({
      'a.yaml': agent({ first: allow.replace('@ops', '@ops, until 2099-12-31') }),
    });
    assert.deepEqual(
      excepted!.map(({ finding, exception }) => [
        finding.message,
        exception.owner,
        exception.until,
        exception.line,
      ]),
      [[ONE, '@ops', '2099-12-31', 11]],
    );
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    [
      '# sallyport: allow pod-security/privilged -- x (owner @ops)',
      /is no check: did you mean pod-security\/privileged/,
    ],
    ['# sallyport: allow pod-security/privileged', /no reason is given/],
    ['# sallyport: allow pod-security/privileged -- because', /no owner is named/],
    ['# sallyport: allow pod-security/privileged -- (owner @ops)', /no reason is given/],
    ['# sallyport: allow -- because (owner @ops)', /no check is named/],
    ['# sallyport: alow pod-security/privileged -- x (owner @ops)', /"alow" is no word/],
    ['# sallyport: allow pod-security/privileged -- x (owner @ops, until 2027-02-30)', /is no date/],
    [
      '# sallyport: allow pod-security/privileged -- x (owner @ops, untill 2027-01-30)',
      /did you mean "until"/,
    ],
  ];
  for (const [comment, message] of wrong)
    it(`"${comment}" excepts nothing, and is said with its line`, () => {
      const { findings, code } = scan({ 'a.yaml': agent({ first: comment }) });
      assert.equal(code, 1);
      assert.equal(findings.filter(({ message }) => message === BOTH).length, 1);
      const problem = findings.find(({ check }) => check === 'cicd/invalid-exception');
      assert.equal(problem?.line, 11);
      assert.match(problem!.message, message);
    });

  it('inside a text of the document is none', () => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata:\n  a: |\n    ${allow}\n    x: y\n  b: "${allow}"\n`;
    const { findings, excepted } = scan({ 'a.yaml': `${text}---\n${agent()}` });
    assert.deepEqual(
      findings.map(({ check }) => check),
      ['pod-security/privileged'],
    );
    assert.equal(excepted, undefined);
  });

  it('of no use is a finding, and one that ended too', () => {
    const of = (comment: string) =>
      scan({ 'a.yaml': agent({ top: `${comment}\n` }).replaceAll('privileged: true', 'privileged: false') })
        .findings;
    assert.deepEqual(
      of(allow).map(({ check }) => check),
      ['cicd/unused-exception'],
    );
    assert.deepEqual(
      of(allow.replace('@ops', '@ops, until 2020-01-31')).map(({ check }) => check),
      ['cicd/expired-exception'],
    );
  });

  it('is not called unused where what it stands in could not be judged', () => {
    const allowed = (check: string) => `# sallyport: allow pod-security/${check} -- it traces (owner @ops)`;
    const pod = (image: string, more = 'hostPID: true') =>
      `apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  ${allowed('host-namespaces')}\n  ${more}\n  containers: [{ name: a, image: ${image} }]\n`;
    const chart = { 'c/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n' };
    const needs = '"{{ required "no image" .Values.image }}"';
    const overlay = (base: string) => ({
      'o/kustomization.yaml': `resources: [../b, ${base}]\npatches: [{ path: p.yaml }]\n`,
      'b/kustomization.yaml': 'resources: [a.yaml]\n',
      'b/a.yaml': pod('a:1.0').replace(allowed('host-namespaces'), ''),
      'o/p.yaml': `apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  ${allowed('host-port')}\n  dnsPolicy: Default\n`,
    });
    const record = {
      'sallyport.yaml':
        'exceptions:\n- { check: pod-security/host-port, file: c, reason: x, owner: "@ops" }\n',
    };
    // What is open in each, and what is left of it once it can be judged.
    const cases: readonly (readonly [files: Record<string, string>, state: string])[] = [
      [{ ...chart, 'c/templates/a.yaml': pod(needs) }, 'unknown'],
      [{ ...chart, 'c/values.yaml': 'image: a:1.0\n', 'c/templates/a.yaml': pod(needs) }, 'used'],
      [{ ...chart, 'c/templates/a.yaml': pod('a:1.0', 'hostPID: false') }, 'unused'],
      [
        { ...chart, ...record, 'c/templates/a.yaml': pod(needs).replace(allowed('host-namespaces'), '') },
        'unknown',
      ],
      [
        { ...chart, ...record, 'c/templates/a.yaml': pod('a:1.0').replace(allowed('host-namespaces'), '') },
        'unused',
      ],
      [overlay('gone.yaml'), 'unknown'],
      [overlay('more.yaml'), 'unknown'],
      [
        {
          ...overlay('more.yaml'),
          'o/more.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m }\n',
        },
        'unused',
      ],
      [{ 'a.yaml': pod('a:1.0 ]') }, 'unknown'],
      [{ 'a.yaml': pod('a:1.0').replace('[{ name: a,', '[{ name: a, ports: 1,') }, 'unknown'],
    ];
    for (const [i, [files, state]] of cases.entries()) {
      const folder = folderOf(files);
      const listed = run(folder, ['exceptions', 'list']).out;
      assert.match(listed, new RegExp(`: ${state}, no end$`, 'm'), `${i}: ${listed}`);
      const words = ['scan', '--check', 'pod-security/host-namespaces'];
      const { out } = run(folder, [...words, '--check', 'pod-security/host-port']);
      assert.equal(out.includes('cicd/unused-exception'), state === 'unused', `${i}: ${out}`);
    }
  });

  it('of a check that did not run is not called unused', () => {
    const text = agent({ top: `${allow.replace('privileged', 'host-port')}\n` });
    assert.deepEqual(messages(scan({ 'a.yaml': text })), [BOTH]);
  });
});

describe('a comment in a chart', () => {
  const CHART = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
  const template = (comment: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: shop }\nspec:\n  containers:\n    - name: web\n      image: shop:1.4.2\n      securityContext:\n        ${comment}\n        privileged: {{ .Values.privileged }}\n`;
  const files = (template_: string, values: string, more: Record<string, string> = {}) => ({
    'Chart.yaml': CHART,
    'templates/pod.yaml': template_,
    'values.yaml': values,
    ...more,
  });
  const cases: readonly (readonly [string, Record<string, string>, excepted: boolean])[] = [
    ['in the values, above the key', files(template('# -'), `${allow}\nprivileged: true\n`), true],
    ['in the values, on its line', files(template('# -'), `privileged: true ${allow}\n`), true],
    [
      'in the values, at another key',
      files(template('# -'), `privileged: true\n${allow}\nother: 1\n`),
      false,
    ],
    [
      'in the template, where the value is literal',
      files(template(allow).replace('{{ .Values.privileged }}', 'true'), 'a: 1\n'),
      true,
    ],
  ];
  for (const [name, all, excepted] of cases)
    it(`${name}, ${excepted ? 'excepts' : 'excepts nothing'}`, () => {
      const shown = scan(all);
      const found = shown.findings.filter(({ check }) => check === 'pod-security/privileged');
      assert.equal(found.length, excepted ? 0 : 1, JSON.stringify(shown));
      assert.equal(shown.excepted?.length ?? 0, excepted ? 1 : 0);
    });

  it('in the values of one environment excepts it there, and not elsewhere', () => {
    const of = (prod: string, dev: string) => ({
      'values-prod.yaml': `privileged: true ${prod}\n`,
      'values-dev.yaml': `privileged: true ${dev}\n`,
    });
    const isOpen = (prod: string, dev: string) =>
      scan(files(template('# -'), 'privileged: false\n', of(prod, dev))).findings.some(
        ({ check }) => check === 'pod-security/privileged',
      );
    const only = (environment: string) => allow.replace('@ops', `@ops, environment ${environment}`);
    assert.equal(isOpen(allow, ''), true);
    assert.equal(isOpen('', allow), true);
    assert.equal(isOpen(only('prod'), only('prod')), true);
    assert.equal(isOpen(allow, allow), false);
    assert.equal(isOpen(only('prod'), only('dev')), false);
  });
});

describe('a comment in what an overlay is made of', () => {
  const kustomization = (more: string) =>
    `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n${more}`;
  const plain = pod('shop').replace('metadata: { name: shop }', 'metadata: { name: shop, namespace: ops }');
  const patch = (comment: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: shop, namespace: ops }\nspec:\n  containers:\n    - name: web\n      securityContext:\n        privileged: true ${comment}\n`;
  const isOpen = (base: string, prod: string, dev?: string) =>
    scan({
      'base/kustomization.yaml': kustomization('resources: [pod.yaml]\n'),
      'base/pod.yaml': base,
      'prod/kustomization.yaml': kustomization('resources: [../base]\npatches: [{ path: patch.yaml }]\n'),
      'prod/patch.yaml': prod,
      ...(dev === undefined
        ? {}
        : {
            'dev/kustomization.yaml': kustomization(
              'resources: [../base]\npatches: [{ path: patch.yaml }]\n',
            ),
            'dev/patch.yaml': dev,
          }),
    }).findings.some(({ check }) => check === 'pod-security/privileged');

  it('excepts what the patch or the base says, and not what another overlay says', () => {
    assert.equal(isOpen(plain, patch('')), true);
    assert.equal(isOpen(plain, patch(allow)), false);
    const based = plain.replace('"shop:1.4.2" }', `"shop:1.4.2", securityContext: { privileged: true } }`);
    assert.equal(isOpen(`${allow}\n${based}`, patch('').replace(/ {6}securityContext[\s\S]*/, '')), false);
    assert.equal(isOpen(plain, patch(allow), patch('')), true);
    assert.equal(isOpen(plain, patch(''), patch(allow)), true);
  });
});

const record = (more: string) =>
  `exceptions:\n  - check: pod-security/privileged\n    reason: it loads a module\n    owner: "@ops"\n${more}`;

describe('a record in sallyport.yaml', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['of a file', '    file: deploy/*.yaml\n', []],
    ['of a folder', '    file: deploy\n', []],
    ['of another file', '    file: other/**\n', [BOTH]],
    ['of the object', '    object: DaemonSet/ag*\n    namespace: ops\n', []],
    ['of another kind', '    object: Deployment/agent\n', [BOTH]],
    ['of another namespace', '    object: DaemonSet/agent\n    namespace: shop\n', [BOTH]],
    ['of a container', '    container: two\n', [ONE]],
    ['of a field', '    field: spec.template.spec.containers[0].securityContext\n', [TWO]],
    [
      'of a field of all items',
      '    field: spec.template.spec.containers[*].securityContext.privileged\n',
      [],
    ],
    ['of half a field name', '    field: spec.temp\n', [BOTH]],
    ['that ends without quotes', '    container: two\n    until: 2099-01-31\n', [ONE]],
  ];
  for (const [name, scope, expected] of cases)
    it(name, () => {
      const shown = scan({ 'deploy/a.yaml': agent(), 'sallyport.yaml': record(scope) });
      assert.deepEqual(
        messages(shown).filter(message => message.includes('privileged=true')),
        expected,
        shown.err,
      );
    });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /sallyport\.yaml:2:\d+: the exception states no scope/],
    [
      '    container: a\n    untill: "2027-01-01"\n',
      /sallyport\.yaml:6:\d+: unknown key "untill"\n.*did you mean "until"/,
    ],
    ['    object: agent\n', /sallyport\.yaml:5:\d+: "agent" is no object/],
    ['    container: a\n    until: soon\n', /"soon" is no date/],
  ];
  for (const [more, message] of wrong)
    it(`is refused with its line: ${JSON.stringify(more)}`, () => {
      const { code, err } = scan({ 'a.yaml': agent(), 'sallyport.yaml': record(more) });
      assert.equal(code, 3);
      assert.match(err, message);
    });

  it('without reason or owner, or of no check, is refused', () => {
    for (const [text, message] of [
      [record('    container: a\n').replace('reason: it loads a module', 'reason: ""'), /states no reason/],
      [record('    container: a\n').replace('    owner: "@ops"\n', ''), /states no owner/],
      [
        record('    container: a\n').replace('privileged', 'privilegd'),
        /did you mean pod-security\/privileged/,
      ],
    ] as const) {
      const { code, err } = scan({ 'a.yaml': agent(), 'sallyport.yaml': text });
      assert.equal(code, 3);
      assert.match(err, message);
    }
  });

  it('of what is wrong with exceptions is refused, for nobody may except that', () => {
    for (const check of ['cicd/unused-exception', 'cicd/expired-exception', 'cicd/invalid-exception']) {
      const config = record('    file: "**"\n').replace('pod-security/privileged', check);
      const { code, err } = scan({ 'a.yaml': agent(), 'sallyport.yaml': config });
      assert.equal(code, 3);
      assert.match(err, /sallyport\.yaml:2:\d+: "cicd\/[a-z-]+" is no check/);
    }
  });

  it('of a check that may not be excepted, or for too long, excepts nothing', () => {
    for (const [rules, message] of [
      ['nonBypassable: [pod-security/privileged]', /cannot be excepted/],
      ['maxDays: 90', /more than 90 days from today/],
    ] as const) {
      const shown = scan({
        'a.yaml': agent(),
        'sallyport.yaml': `${record('    container: "*"\n    until: "2099-01-01"\n')}exceptionRules: { ${rules} }\n`,
      });
      assert.ok(messages(shown).includes(BOTH));
      assert.match(messages(shown).join('\n'), message);
    }
    const shown = scan({
      'a.yaml': agent(),
      'sallyport.yaml': `${record('    container: "*"\n')}exceptionRules: { expiry: required }\n`,
    });
    assert.match(messages(shown).join('\n'), /no end is stated/);
  });
});

describe('other tools', () => {
  const marked = agent().replace(
    'metadata: { name: agent, namespace: ops }',
    'metadata:\n  name: agent\n  annotations:\n    ignore-check.kube-linter.io/privileged-container: "needed"',
  );

  it('are believed only where that is asked for', () => {
    assert.deepEqual(messages(scan({ 'a.yaml': marked })), [BOTH]);
    const { findings, excepted } = scan({ 'a.yaml': marked }, '--honor', 'kube-linter');
    assert.deepEqual(findings, []);
    assert.equal(excepted![0]!.exception.owner, 'kube-linter');
    assert.equal(scan({ 'a.yaml': marked }, '--honor', 'kubelinter').code, 3);
  });

  const forms: readonly (readonly [tool: string, what: string, text: string])[] = [
    [
      'kube-linter',
      'all of it',
      agent().replace(
        'metadata: { name: agent, namespace: ops }',
        'metadata: { name: agent, namespace: ops, annotations: { kube-linter.io/ignore-all: "a module" } }',
      ),
    ],
    [
      'checkov',
      'an annotation',
      agent().replace(
        'metadata: { name: agent, namespace: ops }',
        'metadata: { name: agent, namespace: ops, annotations: { checkov.io/skip1: CKV_K8S_16=a module } }',
      ),
    ],
    ['checkov', 'a comment', agent({ top: '# checkov:skip=CKV_K8S_16:a module\n' })],
    ['trivy', 'a comment', agent({ top: '# trivy:ignore:AVD-KSV-0017\n' })],
    ['trivy', 'a comment that ends', agent({ top: '# trivy:ignore:KSV017 exp:2099-01-31\n' })],
    ['trivy', 'its own form of an end', agent({ top: '#trivy:ignore:AVD-KSV-0017:exp:2099-01-31\n' })],
    ['trivy', 'the second of a line', agent({ top: '# trivy:ignore:KSV001 trivy:ignore:KSV-0017\n' })],
    ['trivy', 'a pattern', agent({ top: '# trivy:ignore:KSV01*\n' })],
    ['trivy', 'everything', agent({ top: '# trivy:ignore:*\n' })],
    ['checkov', "a comment under the company's name", agent({ top: '# bridgecrew:skip=CKV_K8S_16:x\n' })],
    [
      'checkov',
      'an annotation without a reason or a number',
      agent().replace(
        'metadata: { name: agent, namespace: ops }',
        'metadata: { name: agent, namespace: ops, annotations: { bridgecrew.io/skip: CKV_K8S_16 } }',
      ),
    ],
    [
      'polaris',
      'all of it',
      agent().replace(
        'metadata: { name: agent, namespace: ops }',
        'metadata: { name: agent, namespace: ops, annotations: { polaris.fairwinds.com/exempt: "true" } }',
      ),
    ],
    [
      'polaris',
      'an annotation',
      agent().replace(
        'metadata: { name: agent, namespace: ops }',
        'metadata: { name: agent, namespace: ops, annotations: { polaris.fairwinds.com/runAsPrivileged-exempt: "true" } }',
      ),
    ],
  ];
  for (const [tool, what, text] of forms)
    it(`are believed in their own forms: ${what} of ${tool}, in scans, baselines and comparisons`, () => {
      const files = { 'a.yaml': text };
      assert.deepEqual(messages(scan(files)), [BOTH]);
      const others = ['kube-linter', 'checkov', 'trivy', 'polaris'].filter(one => one !== tool).join(',');
      assert.deepEqual(messages(scan(files, '--honor', others)), [BOTH]);
      const { findings, excepted } = scan(files, '--honor', 'kube-linter,checkov,trivy,polaris');
      assert.deepEqual(findings, []);
      assert.deepEqual(
        excepted!.map(({ exception }) => exception.owner),
        [tool],
      );
      const folder = folderOf({
        'new/a.yaml': text,
        'old/b.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: ops }\n',
      });
      const words = ['--check', 'pod-security/privileged', '--honor', tool];
      assert.equal(run(folder, ['diff', 'old', 'new', '--check', 'pod-security/privileged']).code, 1);
      assert.equal(run(folder, ['diff', 'old', 'new', ...words]).code, 0);
      assert.match(run(folder, ['baseline', 'create', 'new', ...words]).out, /: 0 places accepted/);
    });

  it('except nothing where a mark means no check of ours, or ended', () => {
    for (const mark of [
      '# trivy:ignore:AVD-KSV-9999',
      '# trivy:ignore:KSV017 exp:2020-01-31',
      '# trivy:ignore:KSV017 exp:soon',
      '# trivy:ignore:KSV017:exp:2020-01-31',
      '# trivy:ignore:KSV017:exp:soon',
      '# trivy:ignore:KSV017[name=agent]',
      '# trivy:ignore:KSV017:ws:prod',
      '# trivy:ignore:AVD-AWS-*',
      '# checkov:skip=CKV_K8S_*:x',
      '# checkov:skip=CKV_K8S_999:x',
    ])
      assert.ok(
        messages(scan({ 'a.yaml': agent({ top: `${mark}\n` }) }, '--honor', 'trivy,checkov')).includes(BOTH),
        mark,
      );
  });

  it('except of host namespaces only the one that they name', () => {
    const pod = (marks: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {${marks}}\nspec:\n  hostPID: true\n  hostIPC: true\n  containers: [{ name: a, image: "a:1.0" }]\n`;
    const marks: Readonly<Record<string, string>> = {
      'kube-linter': ' ignore-check.kube-linter.io/host-pid: x ',
      checkov: ' checkov.io/skip1: CKV_K8S_17 ',
      polaris: ' polaris.fairwinds.com/hostPIDSet-exempt: "true" ',
      trivy: '',
    };
    for (const [tool, mark] of Object.entries(marks)) {
      const text = tool === 'trivy' ? `# trivy:ignore:KSV010\n${pod('')}` : pod(mark);
      const folder = folderOf({ 'a.yaml': text });
      const words = ['--check', 'pod-security/host-namespaces', '--honor', tool, '--format', 'json'];
      const { findings } = JSON.parse(run(folder, ['scan', ...words]).out) as {
        findings: { occurrences: { path: string }[] }[];
      };
      assert.deepEqual(
        findings.flatMap(({ occurrences }) => occurrences.map(({ path }) => path)),
        ['spec.hostIPC'],
        tool,
      );
    }
  });

  const PRIVILEGED = 'pod-security/privileged';
  const settings: readonly (readonly [name: string, file: string, text: string, excepted: boolean])[] = [
    ['.trivyignore', '.trivyignore', '# a module\nAVD-KSV-0017\nCVE-2018-14618\n', true],
    ['.trivyignore with an end', '.trivyignore', 'KSV017 exp:2099-01-31\n', true],
    ['.trivyignore that ended', '.trivyignore', 'KSV017 exp:2020-01-31\n', false],
    ['.trivyignore with no date', '.trivyignore', 'KSV017 exp:soon\n', false],
    ['.trivyignore.yaml', '.trivyignore.yaml', 'misconfigurations:\n- id: KSV-0017\n  statement: x\n', true],
    [
      '.trivyignore.yaml with paths',
      '.trivyignore.yaml',
      'misconfigurations:\n- { id: KSV-0017, paths: ["**/*.yaml"], expired_at: 2099-01-31 }\n',
      true,
    ],
    [
      '.trivyignore.yaml with other paths',
      '.trivyignore.yaml',
      'misconfigurations:\n- { id: KSV-0017, paths: ["a", "b/a.yaml"] }\n',
      false,
    ],
    ['.trivyignore.yaml of something else', '.trivyignore.yaml', 'secrets:\n- id: KSV-0017\n', false],
    ['.checkov.yaml', '.checkov.yaml', 'skip-check:\n- CKV_K8S_16\n', true],
    ['.checkov.yaml on one line', '.checkov.yaml', 'skip-check: CKV_AWS_20,CKV_K8S_16\n', true],
    ['.checkov.yaml with a pattern', '.checkov.yml', 'skip-check: ["CKV_K8S_1*"]\n', true],
    ['.checkov.yaml with a pattern of others', '.checkov.yml', 'skip-check: ["CKV_AWS*"]\n', false],
    ['.checkov.yaml with a namespace', '.checkov.yaml', 'skip-check: [ops]\n', true],
    ['.checkov.yaml with another namespace', '.checkov.yaml', 'skip-check: [op]\n', false],
    ['.checkov.yaml with a severity', '.checkov.yaml', 'skip-check: [LOW]\n', false],
    ['.kube-linter.yaml', '.kube-linter.yaml', 'checks: { exclude: [privileged-container] }\n', true],
    ['.kube-linter.yaml of another', '.kube-linter.yml', 'checks: { exclude: [host-ipc] }\n', false],
    [
      'polaris.yaml',
      'polaris.yaml',
      'exemptions:\n- { namespace: ops, controllerNames: [age], rules: [runAsPrivileged] }\n',
      true,
    ],
    ['polaris.yaml without rules', 'polaris.yaml', 'exemptions:\n- { containerNames: [""] }\n', true],
    [
      'polaris.yaml of another object',
      'polaris.yaml',
      'exemptions:\n- { controllerNames: [gent], rules: [runAsPrivileged] }\n',
      false,
    ],
    [
      'polaris.yaml that disallows them',
      'polaris.yaml',
      'disallowExemptions: true\nexemptions:\n- { namespace: ops }\n',
      false,
    ],
    ['polaris.yaml that ignores a check', 'polaris.yaml', 'checks: { runAsPrivileged: ignore }\n', true],
    ['polaris.yaml that warns', 'polaris.yaml', 'checks: { runAsPrivileged: warning }\n', false],
  ];
  for (const [name, file, text, excepted] of settings)
    it(`${name} ${excepted ? 'becomes' : 'becomes no'} record that excepts`, () => {
      const folder = folderOf({ 'a.yaml': agent(), [file]: text });
      const { code, out } = run(folder, ['exceptions', 'import', '--owner', '@ops']);
      assert.equal(code, 0);
      writeFileSync(join(folder, 'sallyport.yaml'), out);
      const after = run(folder, ['scan', '--check', PRIVILEGED, '--format', 'json']);
      const { findings } = JSON.parse(after.out) as Shown;
      assert.equal(findings.filter(({ check }) => check === PRIVILEGED).length, excepted ? 0 : 1, out);
    });

  it('are taken from the settings that somebody names, and what has no like is said with its line', () => {
    const folder = folderOf({
      'a.yaml': agent(),
      'ci/lint.yaml':
        'checks:\n  exclude:\n  - privileged-container\n  - dangling-service\n  ignorePaths: [x]\n',
      'b.yaml': agent({ top: '# trivy:ignore:KSV017[name=agent]\n' }),
    });
    const words = ['exceptions', 'import', '--owner', '@ops', '--settings', 'ci/lint.yaml'];
    const { out, err } = run(folder, words);
    assert.match(out, /file: "\*\*"\n {4}reason: "as said to kube-linter \(privileged-container\)/);
    assert.match(
      err,
      /^ci\/lint.yaml:4: not turned \(kube-linter\): no check here says what dangling-service/m,
    );
    assert.match(err, /^ci\/lint.yaml:5: not turned \(kube-linter\): ignorePaths x: files are left out by/m);
    assert.match(err, /^b.yaml:1: not turned \(trivy\): KSV017\[name=agent\] is confined to an attribute/m);
    assert.equal(run(folder, [...words, '--from', 'trivy']).out, '');
    writeFileSync(join(folder, '.checkov.yaml'), 'skip-check: [\n');
    assert.match(run(folder, words).err, /\.checkov\.yaml:2:1: not valid YAML/);
    assert.equal(run(folder, ['exceptions', 'import', '--owner', '@ops', '--settings', 'no']).code, 3);
  });

  it('become records that the configuration understands', () => {
    const text = agent({ first: '# trivy:ignore:AVD-KSV-0017', second: '#checkov:skip=CKV_K8S_16:a module' });
    const folder = folderOf({ 'a.yaml': text });
    const { out, code } = run(folder, ['exceptions', 'import', '--owner', '@ops', '--until', '2099-01-31']);
    assert.equal(code, 0);
    assert.match(
      out,
      /check: "pod-security\/privileged"\n {4}file: "a.yaml"\n {4}reason: "as said to trivy \(KSV-0017\)|AVD/,
    );
    writeFileSync(join(folder, 'sallyport.yaml'), out);
    const after = run(folder, ['scan', '--check', 'pod-security/privileged', '--format', 'json']);
    assert.deepEqual(
      (JSON.parse(after.out) as Shown).findings.filter(({ check }) => check === 'pod-security/privileged'),
      [],
    );
  });
});

describe('every format', () => {
  const FORMATS = ['text', 'json', 'sarif', 'junit', 'github', 'gitlab', 'markdown', 'html', 'csv'];
  it('lists what was excepted, by whom, until when', () => {
    const folder = folderOf({
      'a.yaml': agent({ top: `${allow.replace('@ops', '@ops, until 2099-12-31')}\n` }),
    });
    const wanted = FORMATS.flatMap(format => ['--format', `${format}=out.${format}`]);
    assert.equal(run(folder, ['scan', '--check', 'pod-security/privileged', ...wanted]).code, 0);
    for (const format of FORMATS) {
      const text = readFileSync(join(folder, `out.${format}`), 'utf8').replaceAll('\u2060', '');
      for (const word of ['pod-security/privileged', '@ops', '2099-12-31', 'it loads a module'])
        assert.ok(text.includes(word), `${format} does not say ${word}:\n${text.slice(0, 3000)}`);
    }
    const [result] = (
      JSON.parse(readFileSync(join(folder, 'out.sarif'), 'utf8')) as {
        runs: [{ results: [{ suppressions: { kind: string; status: string; justification: string }[] }] }];
      }
    ).runs[0].results;
    assert.equal(result.suppressions[0]!.status, 'accepted');
    assert.match(result.suppressions[0]!.justification, /@ops, until 2099-12-31/);
  });
});

describe('exceptions list', () => {
  it('says what is of use, what ended, and what ends soon', () => {
    const folder = folderOf({
      'a.yaml': agent({ first: allow, second: allow.replace('@ops', '@ops, until 2020-01-31') }),
    });
    const { out } = run(folder, ['exceptions', 'list']);
    assert.match(out, /a\.yaml:11 pod-security\/privileged: used, no end\n {2}@ops: it loads a module/);
    assert.match(out, /a\.yaml:18 pod-security\/privileged: expired, ended 2020-01-31/);
    assert.match(run(folder, ['exceptions', 'list', '--expiring', '30d']).out, /^a\.yaml:18 /);
    assert.equal(run(folder, ['exceptions', 'list', '--expiring', 'soon']).code, 3);
  });
});

describe('extends', () => {
  it('joins what is shared with what is own, and never loosens its rules', () => {
    const files = {
      'a.yaml': agent(),
      'shared/base.yaml':
        'failOn: never\nchecks:\n  pod-security/privileged: { severity: low }\nexceptionRules: { nonBypassable: [pod-security/privileged] }\n',
      'node_modules/@corp/policy/sallyport.yaml': 'failOn: info\n',
      'sallyport.yaml': `extends: [shared/base.yaml, "@corp/policy"]\n${record('    container: "*"\n')}`,
    };
    const shown = scan(files);
    assert.ok(messages(shown).includes(BOTH), shown.err);
    assert.equal(shown.code, 1);
    for (const word of ['nowhere', './nowhere.yaml', '../../etc/passwd', 'a/../../b']) {
      const { code, err } = scan({ 'a.yaml': agent(), 'sallyport.yaml': `extends: ${word}\n` });
      assert.equal(code, 3);
      assert.match(err, /sallyport\.yaml:1:1: ".*" could not be read|etc\/passwd/);
    }
    const circle = scan({ 'a.yaml': agent(), 'sallyport.yaml': 'extends: ./sallyport.yaml\n' });
    assert.match(circle.err, /more than 10 deep/);
  });

  it('weakens nothing with a pin to the checks that run anyway', () => {
    const folder = (pin: string) => ({
      'a.yaml': pod('a'),
      ...(pin === '' ? {} : { 'sallyport.yaml': `checks: { version: "${pin}" }\n` }),
    });
    const says = (before: string, after: string) => {
      const files = Object.entries({ old: folder(before), new: folder(after) }).flatMap(([side, of]) =>
        Object.entries(of).map(([name, text]) => [`${side}/${name}`, text] as const),
      );
      return run(folderOf(Object.fromEntries(files)), ['diff', 'old', 'new']).out;
    };
    assert.match(says('', version), /No security-relevant change/i);
    assert.match(
      says('', '0.0.9'),
      /For the worse[\s\S]*the checks of 0\.0\.9 are run, before the\s+installed version/,
    );
    assert.match(says('0.0.9', ''), /For the better[\s\S]*the installed version are run,\s+before 0\.0\.9/);
  });

  it('pins the set of checks', () => {
    const pinned = run(folderOf({ 'a.yaml': agent(), 'sallyport.yaml': 'checks: { version: "0.0.9" }\n' }), [
      'scan',
      '--format',
      'json',
    ]);
    assert.deepEqual((JSON.parse(pinned.out) as Shown).findings, []);
  });
});
