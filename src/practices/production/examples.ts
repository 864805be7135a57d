/** Texts of the examples that most checks of reliability need. */

/** A container of the shop. @param fields what it says beside its name and image, as `cpu: 1, …` in one line */
const container = (fields: string) =>
  `containers: [{ name: web, image: "shop:1.4.2"${fields === '' ? '' : `, ${fields}`} }]`;

/** A Pod. @param fields of its container */
export function pod(fields = ''): string {
  return `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        ${container(fields)}
      `;
}

/**
 * A Deployment.
 *
 * @param own a field of its `spec`
 * @param fields of its container
 * @param ofPods a field of its pods' `spec`
 */
export function deployment(own = '', fields = '', ofPods = ''): string {
  return `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: shop, namespace: shop }
      spec:${own === '' ? '' : `\n        ${own}`}
        selector: { matchLabels: { app: shop } }
        template:
          metadata: { labels: { app: shop } }
          spec:
            ${container(fields)}${ofPods === '' ? '' : `\n            ${ofPods}`}
      `;
}
