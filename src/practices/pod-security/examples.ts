/** Texts of the examples that several checks of policies need. */

/** A MutatingAdmissionPolicy of pods that applies what an expression makes. */
export function mutating(expression: string): string {
  return `
      apiVersion: admissionregistration.k8s.io/v1
      kind: MutatingAdmissionPolicy
      metadata: { name: of-pods }
      spec:
        matchConstraints:
          resourceRules:
            - { apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }
        reinvocationPolicy: Never
        mutations:
          - patchType: ApplyConfiguration
            applyConfiguration:
              expression: '${expression}'
      `;
}

/** What no pod loses anything by. */
export const WITHOUT_TOKEN: string = mutating(
  'Object{spec: Object.spec{automountServiceAccountToken: false}}',
);

/** A ValidatingAdmissionPolicy of Deployments. */
export function validating(expression: string): string {
  return `
      apiVersion: admissionregistration.k8s.io/v1
      kind: ValidatingAdmissionPolicy
      metadata: { name: replicas }
      spec:
        matchConstraints:
          resourceRules:
            - { apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] }
        validations:
          - expression: ${expression}
      `;
}
