/** What is said of exceptions themselves, in the form of checks: they have pages and rules like any other. */
import { type Check, defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';

/** They judge no object: the exceptions of a run are judged where they are applied. */
const OF_THE_RUN = {
  practice: 'cicd',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  nonBypassable: true,
  subject: 'object',
  kinds: [],
  evaluate: () => notApplicable('it is about the exceptions of a run'),
  message: () => '',
} as const;

const POD =
  'apiVersion: v1\nkind: Pod\nmetadata: { name: agent }\nspec:\n  # sallyport: allow pod-security/host-namespaces -- ';
const REST = '\n  hostPID: true\n  containers: [{ name: agent, image: "agent:1.0" }]\n';

export const invalidException = defineCheck({
  ...OF_THE_RUN,
  name: 'invalid-exception',
  title: 'Exception that cannot be understood',
  severity: 'high',
  why: 'It excepts nothing, though somebody believes that it does.',
  remediation: 'Write it as: # sallyport: allow CHECK -- REASON (owner @NAME, until YYYY-MM-DD)',
  examples: {
    bad: [`${POD}a debugger${REST}`],
    good: [`${POD}a debugger (owner @node-team, until 2099-12-31)${REST}`],
  },
}) as Check;

export const expiredException = defineCheck({
  ...OF_THE_RUN,
  name: 'expired-exception',
  title: 'Exception past its end',
  severity: 'medium',
  why: 'What it excepted is a finding again: the time that was given for mending is over.',
  remediation: 'Mend what it excepted, or have its owner state a new end with a new reason.',
  examples: {
    bad: [`${POD}a debugger (owner @node-team, until 2020-01-31)${REST}`],
    good: [`${POD}a debugger (owner @node-team, until 2099-12-31)${REST}`],
  },
}) as Check;

export const unusedException = defineCheck({
  ...OF_THE_RUN,
  name: 'unused-exception',
  title: 'Exception that excepts nothing',
  severity: 'low',
  why: 'What it was made for is gone; it would silently cover the next one.',
  remediation: 'Remove it.',
  examples: {
    bad: [`${POD}a debugger (owner @node-team)${REST.replace('hostPID: true', 'hostPID: false')}`],
    good: [`${POD}a debugger (owner @node-team)${REST}`],
  },
}) as Check;

export const exceptionChecks: readonly Check[] = [invalidException, expiredException, unusedException];
