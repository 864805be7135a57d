/**
 * Rules by paths that can be written in two ways. Source: istio pilot/pkg/networking/core/listener_builder.go (what each
 * mode of pathNormalization switches on), envoy source/common/http/path_utility.cc.
 */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { notApplicable, unknown } from '#check/verdict.ts';
import { AUTHORIZATION_POLICY, policiesOf } from '../authorization.ts';
import { NO_ADMIN } from '../examples.ts';
import { meshSettings, verdictOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'paths-not-normalized',
  title: 'Rule denies paths that can be written otherwise',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K06'), mitre('T1190')],
  why: 'The proxy compares //admin and /%2Fadmin as they are sent, and the application behind it may take them for /admin.',
  remediation:
    'Set pathNormalization of the mesh to DECODE_AND_MERGE_SLASHES, or allow paths instead of denying them.',

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const { action, rules, problem } = policiesOf(world).get(object)!;
    if (problem !== undefined) return unknown(problem.text);
    if (action === 'AUDIT') return notApplicable('it only writes logs');
    // What is allowed must be written as the rule says; what is denied, or left out, must not.
    const field = action === 'ALLOW' ? 'notPaths' : 'paths';
    const found = rules.flatMap((rule, index) =>
      rule.to.flatMap((operation, at) => {
        const paths = (operation[field] ?? []).filter(path => path !== '*' && !path.startsWith('*'));
        return paths.length > 0
          ? [{ what: paths[0]!, path: ['spec', 'rules', index, 'to', at, 'operation', field] }]
          : [];
      }),
    );
    if (found.length === 0) return notApplicable('it denies no paths');
    const { normalization } = meshSettings(world);
    if (normalization === 'DECODE_AND_MERGE_SLASHES')
      return notApplicable('the mesh decodes and merges slashes');
    const other = normalization === 'MERGE_SLASHES' ? '/%2F' : '//';
    return verdictOf(
      found.map(({ what, path }) => ({ what: { path: what, other: what.replace(/^\//, other) }, path })),
    );
  },
  message: ([first]) => `${first!.other} is not ${first!.path}: the mesh leaves such paths as they are`,
  examples: {
    bad: [
      `
      ${NO_ADMIN}
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: items, namespace: shop }
      spec: { rules: [{ to: [{ operation: { paths: ["/items*"] } }] }] }
      `,
      `
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: istio, namespace: istio-system }
      data: { mesh: "pathNormalization: { normalization: DECODE_AND_MERGE_SLASHES }" }
      ---
      ${NO_ADMIN}
      `,
    ],
  },
});
