/** Variables that are set twice. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { pod } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'duplicate-environment',
  title: 'Environment variable set twice',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The last one wins without a word.',
  remediation: 'Keep one of them.',

  subject: 'container',
  evaluate({ container: { env } }) {
    const seen = new Set<string>();
    const found = (env ?? []).flatMap(({ name = '' }, i) => {
      if (!seen.has(name)) {
        seen.add(name);
        return [];
      }
      return [{ name, at: ['env', i, 'name'] }];
    });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ at }) => at),
        );
  },
  message: names => `${names.join(', ')} set more than once`,

  examples: {
    bad: [pod('env: [{ name: MODE, value: a }, { name: MODE, value: b }]')],
    good: [pod('env: [{ name: MODE, value: a }]')],
  },
});
