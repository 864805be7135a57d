/** Options that several commands have. */
import type { Option } from '../command.ts';

export const severities = ['critical', 'high', 'medium', 'low', 'info'];
export const formats = ['text', 'json', 'sarif', 'junit', 'github', 'gitlab', 'markdown', 'html', 'csv'];
export const profiles = ['default', 'strict', 'reliability', 'pss-baseline', 'pss-restricted', 'all'];

/** How input is read: the same for every command that takes paths. */
export const reading: readonly Option[] = [
  { name: 'no-ignore', description: 'Read what .gitignore excludes too, and .git and node_modules' },
  {
    name: 'exclude',
    value: 'PATTERN',
    many: true,
    description: 'Leave out paths that match (gitignore syntax)',
  },
  { name: 'no-hooks', description: 'Leave out the hooks and tests of Helm charts' },
  {
    name: 'environment',
    value: 'NAME',
    description: 'Of charts and overlays, only what is applied in that environment',
  },
  { name: 'config', value: 'FILE', description: 'Configuration (default: sallyport.yaml, if there is one)' },
];

export const target: Option = {
  name: 'target-kubernetes',
  value: 'VERSION',
  description: 'The version of Kubernetes that the objects are meant for (default: newest known)',
};

export const explain: Option = {
  name: 'explain',
  description: 'Say by which binding and rule, with file and line',
};
export const namespace: Option = {
  name: 'namespace',
  short: 'n',
  value: 'NAME',
  description: 'The namespace of the request',
};

/** How a command prints its answer. */
export function formatOf(...choices: readonly string[]): Option {
  return { name: 'format', short: 'o', value: 'FORMAT', choices, description: 'How to print it' };
}
