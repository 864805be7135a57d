/** Where data lies. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['create', 'update', 'patch', 'delete'], 'storageclasses', 'storage.k8s.io'),
  ...requests(['create', 'update', 'patch', 'delete'], 'csidrivers', 'storage.k8s.io'),
  ...requests(['create', 'update', 'patch', 'delete'], 'volumeattachments', 'storage.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'storage-write',
  title: 'Binding lets storage be redirected',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1565')],
  why: 'A storage class or a driver decides where volumes are made and who gets the credentials; an attachment brings a volume to another node.',
  remediation: 'Leave it to the storage drivers themselves.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) =>
    `${who} may change storage classes, drivers or attachments ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: ["storage.k8s.io"], resources: [storageclasses], verbs: [create] }]')],
    good: [
      HARMLESS,
      boundIn('shop', '[{ apiGroups: ["storage.k8s.io"], resources: [storageclasses], verbs: [create] }]'),
    ],
  },
});
