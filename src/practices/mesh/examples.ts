/** Objects of the examples that many checks of meshes need; they stand six columns in, as the examples do. */

/** A Deployment whose port has a name. */
export const WEB_WITH_NAMED_PORT = `apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec:
        selector: { matchLabels: { app: web } }
        template:
          metadata: { labels: { app: web } }
          spec:
            containers: [{ name: web, image: "shop:1.4.2", ports: [{ name: http, containerPort: 8080 }] }]`;

/** A pod. */
export const WEB_POD = `apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web } }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }`;

/** A pod with a port. */
export const WEB_POD_WITH_PORT = `apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web } }
      spec: { containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] }`;

/** A NetworkPolicy that lets in pods of the same name. */
export const ONLY_ITSELF = `apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: { name: web, namespace: shop }
      spec:
        podSelector: { matchLabels: { app: web } }
        policyTypes: [Ingress]
        ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: http }] }]`;

/** A Deployment with a port. */
export const WEB_WITH_PORT = `apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] } } }`;

/** A Deployment. */
export const WEB = `apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: "shop:1.4.2" }] } } }`;

/** The pod of a gateway. */
export const EDGE_POD = `apiVersion: v1
      kind: Pod
      metadata: { name: edge, namespace: edge, labels: { app: edge } }
      spec: { containers: [{ name: proxy, image: "proxyv2:1.30.0" }] }`;

/** The Service of all of these. */
export const WEB_SERVICE = `apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ port: 80 }] }`;

/** Linkerd's Server of a port. */
export const WEB_SERVER = `apiVersion: policy.linkerd.io/v1beta3
      kind: Server
      metadata: { name: web, namespace: shop }
      spec: { podSelector: { matchLabels: { app: web } }, port: http }`;

/** An AuthorizationPolicy that looks at requests. */
export const NO_ADMIN = `apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: no-admin, namespace: shop }
      spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] }`;
