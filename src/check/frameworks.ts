/**
 * The catalogue of controls that checks may refer to. A reference is typed by its id, so a number that is not in the
 * catalogue does not compile. Sources: CIS Kubernetes Benchmark 1.12 section 5, MITRE ATT&CK 17 (Containers and
 * Enterprise), OWASP Kubernetes Top 10 (2022), NSA/CISA Kubernetes Hardening Guidance 1.2.
 */

export interface FrameworkReference {
  readonly framework: 'PSS' | 'CIS' | 'MITRE' | 'OWASP' | 'NSA';
  readonly id: string;
  readonly title: string;
}

const PSS = {
  baseline: 'Pod Security Standards, Baseline',
  restricted: 'Pod Security Standards, Restricted',
} as const;

const CIS = {
  '5.1.1': 'Ensure that the cluster-admin role is only used where required',
  '5.1.2': 'Minimize access to secrets',
  '5.1.3': 'Minimize wildcard use in Roles and ClusterRoles',
  '5.1.4': 'Minimize access to create pods',
  '5.1.5': 'Ensure that default service accounts are not actively used',
  '5.1.6': 'Ensure that Service Account Tokens are only mounted where necessary',
  '5.1.7': 'Avoid use of system:masters group',
  '5.1.8': 'Limit use of the Bind, Impersonate and Escalate permissions in the Kubernetes cluster',
  '5.1.9': 'Minimize access to create persistent volumes',
  '5.1.10': 'Minimize access to the proxy sub-resource of nodes',
  '5.1.11': 'Minimize access to the approval sub-resource of certificatesigningrequests objects',
  '5.1.12': 'Minimize access to webhook configuration objects',
  '5.1.13': 'Minimize access to the service account token creation',
  '5.2.1': 'Ensure that the cluster has at least one active policy control mechanism in place',
  '5.2.2': 'Minimize the admission of privileged containers',
  '5.2.3': 'Minimize the admission of containers wishing to share the host process ID namespace',
  '5.2.4': 'Minimize the admission of containers wishing to share the host IPC namespace',
  '5.2.5': 'Minimize the admission of containers wishing to share the host network namespace',
  '5.2.6': 'Minimize the admission of containers with allowPrivilegeEscalation',
  '5.2.7': 'Minimize the admission of root containers',
  '5.2.8': 'Minimize the admission of containers with the NET_RAW capability',
  '5.2.9': 'Minimize the admission of containers with capabilities assigned',
  '5.2.10': 'Minimize the admission of Windows HostProcess containers',
  '5.2.11': 'Minimize the admission of HostPath volumes',
  '5.2.12': 'Minimize the admission of containers which use HostPorts',
  '5.3.1': 'Ensure that the CNI in use supports NetworkPolicies',
  '5.3.2': 'Ensure that all Namespaces have NetworkPolicies defined',
  '5.4.1': 'Prefer using Secrets as files over Secrets as environment variables',
  '5.4.2': 'Consider external secret storage',
  '5.5.1': 'Configure Image Provenance using ImagePolicyWebhook admission controller',
  '5.6.1': 'Create administrative boundaries between resources using namespaces',
  '5.6.2': 'Ensure that the seccomp profile is set to docker/default in your Pod definitions',
  '5.6.3': 'Apply SecurityContext to your Pods and Containers',
  '5.6.4': 'The default namespace should not be used',
} as const;

const MITRE = {
  'T1021.004': 'Remote Services: SSH',
  T1036: 'Masquerading',
  T1040: 'Network Sniffing',
  T1046: 'Network Service Discovery',
  'T1053.007': 'Scheduled Task/Job: Container Orchestration Job',
  T1055: 'Process Injection',
  T1068: 'Exploitation for Privilege Escalation',
  T1070: 'Indicator Removal',
  T1078: 'Valid Accounts',
  'T1078.001': 'Valid Accounts: Default Accounts',
  T1098: 'Account Manipulation',
  'T1098.006': 'Account Manipulation: Additional Container Cluster Roles',
  T1190: 'Exploit Public-Facing Application',
  'T1195.002': 'Supply Chain Compromise: Compromise Software Supply Chain',
  'T1204.003': 'User Execution: Malicious Image',
  T1499: 'Endpoint Denial of Service',
  T1525: 'Implant Internal Image',
  T1528: 'Steal Application Access Token',
  'T1543.005': 'Create or Modify System Process: Container Service',
  'T1547.006': 'Boot or Logon Autostart Execution: Kernel Modules and Extensions',
  T1548: 'Abuse Elevation Control Mechanism',
  T1552: 'Unsecured Credentials',
  'T1552.001': 'Unsecured Credentials: Credentials In Files',
  'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
  'T1552.007': 'Unsecured Credentials: Container API',
  T1557: 'Adversary-in-the-Middle',
  'T1562.001': 'Impair Defenses: Disable or Modify Tools',
  T1565: 'Data Manipulation',
  T1609: 'Container Administration Command',
  T1610: 'Deploy Container',
  T1611: 'Escape to Host',
  T1613: 'Container and Resource Discovery',
} as const;

const OWASP = {
  K01: 'Insecure Workload Configurations',
  K02: 'Supply Chain Vulnerabilities',
  K03: 'Overly Permissive RBAC Configurations',
  K04: 'Lack of Centralized Policy Enforcement',
  K05: 'Inadequate Logging and Monitoring',
  K06: 'Broken Authentication Mechanisms',
  K07: 'Missing Network Segmentation Controls',
  K08: 'Secrets Management Failures',
  K09: 'Misconfigured Cluster Components',
  K10: 'Outdated and Vulnerable Kubernetes Components',
} as const;

const NSA = {
  'non-root containers': 'Kubernetes Pod security: "Non-root" containers',
  'immutable file systems': 'Kubernetes Pod security: Immutable container file systems',
  'secure images': 'Kubernetes Pod security: Building secure container images',
  'pod security enforcement': 'Kubernetes Pod security: Pod security enforcement',
  'service account tokens': 'Kubernetes Pod security: Protecting Pod service account tokens',
  'hardening container environments': 'Kubernetes Pod security: Hardening container environments',
  namespaces: 'Network separation and hardening: Namespaces',
  'network policies': 'Network separation and hardening: Network policies',
  'resource policies': 'Network separation and hardening: Resource policies',
  encryption: 'Network separation and hardening: Encryption',
  secrets: 'Network separation and hardening: Secrets',
  authentication: 'Authentication and authorization: Authentication',
  'role-based access control': 'Authentication and authorization: Role-based access control',
  'audit logging': 'Audit Logging and Threat Detection',
  upgrading: 'Upgrading and application security practices',
} as const;

export function pss(level: keyof typeof PSS): FrameworkReference {
  return { framework: 'PSS', id: level, title: PSS[level] };
}

/** A recommendation of the CIS Kubernetes Benchmark 1.12. */
export function cis(id: keyof typeof CIS): FrameworkReference {
  return { framework: 'CIS', id, title: CIS[id] };
}

/** A technique of MITRE ATT&CK. */
export function mitre(id: keyof typeof MITRE): FrameworkReference {
  return { framework: 'MITRE', id, title: MITRE[id] };
}

/** An entry of the OWASP Kubernetes Top 10 (2022). */
export function owasp(id: keyof typeof OWASP): FrameworkReference {
  return { framework: 'OWASP', id, title: OWASP[id] };
}

/** A section of the NSA/CISA Kubernetes Hardening Guidance. */
export function nsa(id: keyof typeof NSA): FrameworkReference {
  return { framework: 'NSA', id, title: NSA[id] };
}

/** As reports and filters write it: `CIS 5.2.2`. */
export function formatReference({ framework, id }: FrameworkReference): string {
  return `${framework} ${id}`;
}
