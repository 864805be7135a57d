/**
 * Rules on requests where a port carries none. Source: istio pilot/pkg/security/authz/model/model.go (what is of HTTP is
 * dropped on a TCP port: the whole rule from ALLOW, the field alone from DENY).
 */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import type { Rule } from '#decide/mesh/door.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { AUTHORIZATION_POLICY, policiesOf, selectedWorkloads } from '../authorization.ts';
import { NO_ADMIN, WEB } from '../examples.ts';
import { meshOf, rootNamespace, servicePorts } from '../facts.ts';

const OPERATION = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'];
const SOURCE = ['requestPrincipals', 'notRequestPrincipals'];
const KEYS = /^request\.(?:headers|auth\.)/;

function has(fields: Readonly<Record<string, readonly string[]>>, wanted: readonly string[]): boolean {
  return wanted.some(field => (fields[field] ?? []).length > 0);
}

/** Whether a rule speaks of requests in what it says of a port. */
function speaksOfRequests(rule: Rule, port: number): boolean {
  const text = String(port);
  const operations = rule.to.filter(
    one =>
      ((one['ports'] ?? []).length === 0 || one['ports']!.includes(text)) &&
      !(one['notPorts'] ?? []).includes(text),
  );
  if (rule.to.length > 0 && operations.length === 0) return false;
  if (
    rule.when.some(
      ({ key, values }) => key === 'destination.port' && values.length > 0 && !values.includes(text),
    )
  )
    return false;
  return (
    operations.some(one => has(one, OPERATION)) ||
    rule.from.some(one => has(one, SOURCE)) ||
    rule.when.some(({ key }) => KEYS.test(key))
  );
}

/** Whether a rule may let a connection to a port in, without asking for requests. */
function allowsConnections(rule: Rule, port: number): boolean {
  const text = String(port);
  return (
    !speaksOfRequests(rule, port) &&
    (rule.to.length === 0 ||
      rule.to.some(
        one =>
          ((one['ports'] ?? []).length === 0 || one['ports']!.includes(text)) &&
          !(one['notPorts'] ?? []).includes(text),
      ))
  );
}

/** Whether a Service's port may be one of plain TCP, by its name: the deciders are asked about these only. */
function mayBeTcp(port: unknown): boolean {
  const name = String(valueAt(port, ['appProtocol']) ?? valueAt(port, ['name']) ?? '');
  return !/^(?:http2?|grpc|grpc-web|http_proxy)(?:-|$)/i.test(name);
}

export default defineCheck({
  practice: 'mesh',
  name: 'http-rules-on-tcp-port',
  title: 'Policy on requests for a port that carries none',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06')],
  why: 'On a TCP port the proxy sees no requests: a DENY rule loses these fields and denies more than it says, and an ALLOW rule lets nobody in.',
  remediation:
    "Name the ports of HTTP in the rule, or correct the name or appProtocol of the Service's port.",

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const policies = policiesOf(world);
    const policy = policies.get(object)!;
    if (policy.targetRefs.length > 0) return notApplicable('it is attached by reference');
    if (policy.problem !== undefined) return unknown(policy.problem.text);
    if (policy.dryRun || (policy.action !== 'ALLOW' && policy.action !== 'DENY'))
      return notApplicable('it neither allows nor denies');
    const speaking = policy.rules.filter(
      rule =>
        rule.to.some(one => has(one, OPERATION)) ||
        rule.from.some(one => has(one, SOURCE)) ||
        rule.when.some(({ key }) => KEYS.test(key)),
    );
    if (speaking.length === 0) return notApplicable('it says nothing about requests');
    const mesh = meshOf(world);
    const root = rootNamespace(world);
    const at = new Map<string, Path>();
    let example: { readonly id: string; readonly port: number } | undefined;
    for (const { object: workload, id, peer, dataplane } of selectedWorkloads(object, world)) {
      if (dataplane !== 'sidecar') continue;
      const ports = servicePorts(workload, world, mayBeTcp);
      for (const port of ports) {
        // Cheap before costly: of most policies, the first port tells all.
        const open = [...policy.rules.entries()].filter(
          ([index, rule]) => !at.has(String(index)) && speaksOfRequests(rule, port),
        );
        if (open.length === 0) continue;
        const isTcp = mesh
          .inbound(peer, port)
          .every(({ captured, protocols }) => captured && protocols().every(one => one === 'TCP'));
        if (!isTcp) continue;
        // Where another rule lets connections in, the port was thought of.
        const others =
          policy.action === 'DENY'
            ? []
            : [...policies.values()].filter(
                other =>
                  other.action === 'ALLOW' &&
                  [policy.namespace, root].includes(other.namespace) &&
                  other.rules.some(rule => allowsConnections(rule, port)),
              );
        if (others.length > 0) continue;
        example ??= { id, port };
        for (const [index] of open) at.set(String(index), ['spec', 'rules', index]);
      }
    }
    return example === undefined ? pass : fail({ ...example, action: policy.action }, ...at.values());
  },
  message: ({ id, port, action }) =>
    action === 'DENY'
      ? `port ${port} of ${id} is TCP: it denies every connection there, whatever the request`
      : `port ${port} of ${id} is TCP: nobody is let in there`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB}
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }, { name: tcp-sync, port: 9000, targetPort: 9000 }] }
      ---
      ${NO_ADMIN}
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB}
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }, { name: tcp-sync, port: 9000, targetPort: 9000 }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: no-admin, namespace: shop }
      spec: { action: DENY, rules: [{ to: [{ operation: { ports: ["8080"], paths: ["/admin*"] } }] }] }
      `,
    ],
  },
});
