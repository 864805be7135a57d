/** Options of the commands that ask what has to work. */
import type { Option } from '../command.ts';

/** The options that `needsOf` of ../mesh-needs.ts reads. */
export const needOptions: readonly Option[] = [
  {
    name: 'flows',
    value: 'FILE',
    many: true,
    description:
      'What was seen and has to work: logs of Hubble, Calico, Envoy, ztunnel, VPCs, Istio metrics, CSV',
  },
  {
    name: 'ingress',
    value: 'NS[/ACCOUNT]',
    many: true,
    description:
      'The proxy in front, where the input has none; with its service account if it is in the mesh',
  },
  {
    name: 'scraper',
    value: 'NS[/ACCOUNT]',
    many: true,
    description: 'Who scrapes metrics, where the input does not hold it',
  },
  { name: 'api-server', value: 'CIDR', many: true, description: 'Where the API server connects from' },
];
