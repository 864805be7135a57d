/** The command that renders, with helm's own flags. */
import type { Command } from '../command.ts';

export const renderCommands: readonly Command[] = [
  {
    name: 'render',
    summary: 'Render a chart, an overlay, or what a GitOps object deploys',
    operands: '[NAME] PATH',
    options: [
      { name: 'values', short: 'f', value: 'FILE', many: true, description: 'A values file; later ones win' },
      { name: 'set', value: 'A.B=C', many: true, description: 'One value' },
      { name: 'set-string', value: 'A.B=C', many: true, description: 'One value, taken as text' },
      { name: 'set-json', value: 'A.B=JSON', many: true, description: 'One value in JSON' },
      { name: 'set-file', value: 'A.B=FILE', many: true, description: 'One value from a file' },
      { name: 'set-literal', value: 'A.B=TEXT', many: true, description: 'One value, the text as it stands' },
      { name: 'release-name', value: 'NAME', description: 'The release (default: release-name)' },
      { name: 'namespace', short: 'n', value: 'NAME', description: 'The namespace (default: default)' },
      { name: 'kube-version', value: 'VERSION', description: 'What .Capabilities.KubeVersion says' },
      {
        name: 'api-versions',
        short: 'a',
        value: 'GROUP/VERSION',
        many: true,
        description: 'One more API version that the cluster has',
      },
      { name: 'include-crds', description: "Print the charts' crds/ too" },
      { name: 'no-hooks', description: 'Leave hooks out' },
      { name: 'skip-tests', description: 'Leave tests out' },
      {
        name: 'skip-schema-validation',
        description: "Do not check the values against the charts' values.schema.json",
      },
      {
        name: 'show-only',
        short: 's',
        value: 'TEMPLATE',
        many: true,
        description: 'Print only this template',
      },
      { name: 'provenance', description: 'Show where each line came from' },
      {
        name: 'format',
        short: 'o',
        value: 'FORMAT',
        choices: ['text', 'json'],
        description: 'How to print it; json holds the origin of each line',
      },
    ],
    examples: [
      ['sallyport render charts/shop -f charts/shop/values-prod.yaml', 'what would be applied'],
      ['sallyport render charts/shop --provenance', 'with the file and line behind each line'],
      ['sallyport render overlays/prod', 'what kubectl kustomize prints'],
      ['sallyport render apps/shop.yaml', 'what an Application, HelmRelease or Kustomization deploys'],
    ],
    load: () => import('../commands/render.ts'),
  },
];
