/** Policies that give pods what the standards forbid. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { LOOKS_AT, MUTATING, madeOfPod, refusedExpressions } from '../admission-policies.ts';
import { mutating, WITHOUT_TOKEN } from '../examples.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'admission-policy-loosens',
  title: 'MutatingAdmissionPolicy that gives pods more than they ask for',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1611')],
  why: 'It changes pods after whoever wrote them has looked, and before anything is checked: nothing in a manifest shows it.',
  remediation: 'Leave out what the standards forbid, or bind it to the few pods that need it by a selector.',

  subject: 'object',
  kinds: MUTATING,
  looksAt: LOOKS_AT,
  evaluate({ object }, { world }) {
    if (refusedExpressions(object, world.kubernetesMinor).length > 0)
      return notApplicable('the API server would not take it');
    const made = madeOfPod(object, world);
    if (made.is === 'elsewhere') return notApplicable('it does not change pods when they are made');
    if (made.is === 'unknown') return unknown(`what it makes of a pod is not known: ${made.because}`);
    return made.breaches.length === 0 ? pass : fail(made, ['spec', 'mutations']);
  },
  severityOf: ({ level }) => (level === 'baseline' ? 'high' : 'medium'),
  message: ({ level, breaches }) =>
    `of a pod that keeps every standard it makes one that ${level} forbids: ${breaches.join('; ')}`,

  examples: {
    bad: [mutating('Object{spec: Object.spec{shareProcessNamespace: true, hostPID: true}}')],
    good: [WITHOUT_TOKEN],
  },
});
