/** Secrets committed as they are: base64 hides nothing. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import { knownFormatIn, secretInText } from '../secrets.ts';

/** Annotations by which a controller fills in the data, or a tool decrypts it. */
const FILLED_BY = [
  'avp.kubernetes.io/path',
  'kustomize.toolkit.fluxcd.io/',
  'vault.hashicorp.com/',
  'reflector.v1.k8s.emberstack.com/reflects',
];
const PLACEHOLDER =
  /^(?:|<[^<>]*>|\{\{.*\}\}|\$\{.*\}|\$\(.*\)|changeme|change-me|placeholder|todo|x{3,}|\*+|dummy|example|replace.{0,40}|your.{0,40})$/is;
/** Data that is public by its nature. */
const PUBLIC_KEYS =
  /^(?:ca(?:-bundle)?\.crt|(?:tls\.)?(?:crt|cert|ca)|known_hosts|.*\.(?:crt|cert|pub))$|(?:^|[._-]|[a-z](?=[A-Z]))(?:user(?:_?name)?(?:_in)?|account_?name|address|endpoint|url|host(?:name)?|port|type|name|project|issuer|region|bucket|client[-_]?id|namespace|server|database|db)$/i;
/** A file of settings: not all of it is secret. */
const FILE_KEY = /\.(?:ya?ml|ini|json|conf|cfg|properties|toml|xml|env|txt|sh)$/i;
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The first bytes of base64 text as Latin-1: enough to tell a placeholder from a secret. */
function decoded(text: string): string {
  let bits = 0;
  let held = 0;
  let result = '';
  for (const character of text.slice(0, 8192)) {
    const value = BASE64.indexOf(character);
    if (value < 0) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      result += String.fromCharCode((held >> bits) & 0xff);
    }
  }
  return result;
}

function isFilledIn(object: KubeObject): boolean {
  const annotations = Object.keys(object.metadata?.annotations ?? {});
  return (
    isRecord(object['sops']) || annotations.some(key => FILLED_BY.some(prefix => key.startsWith(prefix)))
  );
}

export default defineCheck({
  practice: 'cicd',
  name: 'secret-in-manifest',
  title: 'Secret committed in plain',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.4.2'), owasp('K08'), mitre('T1552.001')],
  why: 'Base64 is no encryption: whoever may read the repository, now or in its history, has the secret.',
  remediation:
    'Keep the value elsewhere and bring it in when it is needed (External Secrets, Sealed Secrets, SOPS), and change it, for this one is known.',
  sensitive: true,

  subject: 'object',
  kinds: ['/Secret'],
  evaluate({ object }) {
    if (object['type'] === 'kubernetes.io/service-account-token')
      return notApplicable('the cluster fills it in');
    if (isFilledIn(object)) return notApplicable('its values are encrypted or filled in elsewhere');
    const held = (['data', 'stringData'] as const).flatMap(field => {
      const data = object[field];
      if (!isRecord(data)) return [];
      return Object.entries(data).flatMap(([key, value]) => {
        if (typeof value !== 'string' || PUBLIC_KEYS.test(key)) return [];
        const text = (field === 'data' ? decoded(value) : value).trim();
        if (PLACEHOLDER.test(text) || PLACEHOLDER.test(value.trim()) || text.startsWith('ENC[')) return [];
        if (/^-----BEGIN (?:TRUSTED )?CERTIFICATE-----/.test(text) && knownFormatIn(text) === undefined)
          return [];
        // Of a file only what looks like a secret in it counts: much of it is settings.
        if (FILE_KEY.test(key) && secretInText(key, text) === undefined) return [];
        const at: Path = [field, key];
        return [{ key, known: knownFormatIn(text)?.what, at }];
      });
    });
    return held.length === 0 ? pass : fail(held, ...held.map(({ at }) => at));
  },
  message: held => {
    const names = held
      .slice(0, 5)
      .map(({ key, known }) => (known === undefined ? `"${key}"` : `"${key}" (${known})`));
    return `${names.join(', ')}${held.length > 5 ? ` and ${held.length - 5} more` : ''} written in plain`;
  },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Secret
      metadata: { name: db }
      data:
        username: c2hvcA==
        password: V243LXR1bGlwLU9zdHJpY2g=
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Secret
      metadata: { name: db }
      stringData:
        password: <filled in by the pipeline>
      `,
      `
      apiVersion: v1
      kind: Secret
      metadata: { name: robot, annotations: { kubernetes.io/service-account.name: robot } }
      type: kubernetes.io/service-account-token
      `,
    ],
  },
});
