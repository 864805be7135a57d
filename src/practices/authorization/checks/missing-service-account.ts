/** Accounts that nobody declares. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { accountOf } from '#kube/accounts.ts';
import { isTemplated } from '#kube/images.ts';
import { namespaceOf } from '#world/world.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'missing-service-account',
  title: 'Service account is not in the input',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'Without its service account a pod is never created; and should somebody else create one of that name, the pod gets its rights.',
  remediation: 'Declare the account beside the workload, or correct its name.',

  subject: 'pod',
  looksAt: ['/ServiceAccount'],
  evaluate({ spec, namespace, partial }, { world }) {
    if (partial) return notApplicable('a controller makes the rest of the pod');
    const name = accountOf(spec);
    if (name === 'default' || isTemplated(name))
      return notApplicable('the account is there in every namespace');
    if (world.find('/ServiceAccount', namespace, name) !== undefined) return pass;
    // Only where the input declares accounts of this namespace does it claim to hold them all.
    const whole = world.ofKind('/ServiceAccount').some(({ object }) => namespaceOf(object) === namespace);
    if (!whole) return notApplicable('the accounts of the namespace are not in the input');
    return fail({ name }, ['spec', 'serviceAccountName']);
  },
  message: ({ name }) => `service account "${name}" is not declared, though others of its namespace are`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: ServiceAccount
      metadata: { name: shop, namespace: shop }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, namespace: shop }
      spec:
        serviceAccountName: shopp
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: ServiceAccount
      metadata: { name: shop, namespace: shop }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, namespace: shop }
      spec:
        serviceAccountName: shop
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
