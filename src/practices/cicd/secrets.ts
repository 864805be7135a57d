/**
 * Tells secrets from other text: by the formats that issuers gave their tokens, and by names that promise a secret
 * beside values that look like one. Noise is the enemy: references, placeholders and plain words are no secrets.
 */

export interface SecretFound {
  /** What it is: `AWS access key`, `password in a URL`. */
  readonly what: string;
  /** Enough to find it, never enough to use it: four characters at most. */
  readonly hint: string;
  /** Its format proves it; otherwise only its name and looks do. */
  readonly certain: boolean;
}

interface Format {
  readonly what: string;
  readonly pattern: RegExp;
}

/** Every pattern begins with fixed text or a short class, has no nested repetition, and is linear in time. */
const FORMATS: readonly Format[] = [
  { what: 'a private key', pattern: /-----BEGIN (?:[A-Z]{2,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----/ },
  { what: 'an AWS access key', pattern: /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/ },
  { what: 'a GitHub token', pattern: /\bgh[pousr]_[A-Za-z0-9]{36,251}\b/ },
  { what: 'a GitHub token', pattern: /\bgithub_pat_[A-Za-z0-9_]{60,255}\b/ },
  { what: 'a GitLab token', pattern: /\bgl(?:pat|rt|ptt|dt|oas|soat)-[A-Za-z0-9_-]{20,64}\b/ },
  { what: 'a Slack token', pattern: /\bxox[abposr]-[A-Za-z0-9-]{10,200}\b/ },
  {
    what: 'a Slack webhook',
    pattern: /https:\/\/hooks\.slack\.com\/services\/T[A-Z0-9]{6,14}\/B[A-Z0-9]{6,14}\/[A-Za-z0-9]{18,32}/,
  },
  { what: 'a Stripe key', pattern: /\b[rs]k_live_[A-Za-z0-9]{20,120}\b/ },
  { what: 'a Google API key', pattern: /\bAIza[A-Za-z0-9_-]{35}\b/ },
  { what: 'a Google service account key', pattern: /"type"\s{0,4}:\s{0,4}"service_account"/ },
  { what: 'a SendGrid key', pattern: /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b/ },
  { what: 'an npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { what: 'a PyPI token', pattern: /\bpypi-AgE[A-Za-z0-9_-]{50,250}\b/ },
  { what: 'a Docker Hub token', pattern: /\bdckr_pat_[A-Za-z0-9_-]{27}\b/ },
  { what: 'a Vault token', pattern: /\bhv[sb]\.[A-Za-z0-9_-]{24,200}\b/ },
  { what: 'a DigitalOcean token', pattern: /\bdo[opr]_v1_[a-f0-9]{64}\b/ },
  { what: 'an OpenAI key', pattern: /\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}\b/ },
  { what: 'an Anthropic key', pattern: /\bsk-ant-[A-Za-z0-9_-]{40,200}\b/ },
  { what: 'a Hugging Face token', pattern: /\bhf_[A-Za-z]{34}\b/ },
  { what: 'a Grafana token', pattern: /\bgl(?:sa|c)_[A-Za-z0-9+/=_]{32,400}\b/ },
  { what: 'a Databricks token', pattern: /\bdapi[a-f0-9]{32}\b/ },
  { what: 'an Azure storage key', pattern: /\bAccountKey=[A-Za-z0-9+/]{86}==/ },
  { what: 'a Shopify token', pattern: /\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b/ },
  { what: 'a Telegram bot token', pattern: /\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b/ },
  { what: 'an age secret key', pattern: /\bAGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}\b/ },
  {
    what: 'a signed JSON Web Token',
    pattern: /\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,6000}\.[A-Za-z0-9_-]{20,1000}\b/,
  },
];

/** First characters of the formats, for a test that costs next to nothing on ordinary text. */
const MARKS =
  /-----BEGIN|AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_pat_|gl(?:pat|rt|ptt|dt|oas|soat|sa|c)[-_]|xox[abposr]-|hooks\.slack|[rs]k_live_|AIza|service_account|SG\.|npm_|pypi-AgE|dckr_pat|hv[sb]\.|do[opr]_v1|sk-|hf_|dapi|AccountKey=|shp(?:at|ca|pa|ss)_|:AA|AGE-SECRET|eyJ/;

/** `scheme://user:password@host`. */
const URL_WITH_PASSWORD = /\b[a-z][a-z0-9+.-]{1,20}:\/\/([^\s:/@"'`<>]{0,100}):([^\s/@"'`<>]{1,200})@[^\s/]/i;

/** Names that promise a secret, as the last words of a name: `DB_PASSWORD`, `api-key`, `clientSecret`. */
const SECRET_NAME =
  /(?:^|[^a-z])(?:passw(?:or)?d|passwd|pwd|passphrase|secret|secret[_.-]?key|access[_.-]?key|api[_.-]?key|private[_.-]?key|encryption[_.-]?key|signing[_.-]?key|auth[_.-]?token|access[_.-]?token|api[_.-]?token|bearer[_.-]?token|refresh[_.-]?token|token|credentials?)$/;

/** Names that end like a secret and mean something else. */
const NOT_SECRET_NAME =
  /(?:public|issuer|audience|max|min|num|count|limit|next|page|continue|per)[_.-]?(?:key|token|tokens)$/;

/** Values that stand for a secret, or say that there is none. */
const PLACEHOLDER =
  /^(?:|true|false|yes|no|on|off|none|null|nil|undefined|empty|disabled?|enabled?|required|optional|default|redacted|x{3,}|\*+|\.{3,}|-+|changeme.*|your[-_ ]?(?:own[-_ ]?)?(?:password|passphrase|secret|token|key|credentials?)|change[-_ ]?(?:me|it|this).*|replace[-_ ]?(?:me|this|with).*|todo.*|tbd|fixme|your[-_ ].*|my[-_ ]?(?:secret|password|token|key)|example.*|sample.*|placeholder.*|dummy.*|fake.*|insert.*|<.*>|\[.*\]|\(.*\))$/i;

/** `$(NAME)`, `${NAME}`, `$slack-token` (Argo CD's way), `{{ … }}`, `vault:path`, `ref+…`: text that points at a secret somewhere else. */
const REFERENCE =
  /\$[({]|\{\{|^\$[A-Z_]+$|^\$[A-Za-z][A-Za-z0-9]*(?:[-_.:][A-Za-z0-9]+)+$|^(?:vault|ref\+|secretref|op|awssm|gcpsm|azurekv|file|env|arn|secret|k8s):|^%[A-Z_]+%$|^@|^ENC\[|^enc:|!vault/i;

/** Paths and names of things: a secret is kept there, not written here. */
const LOCATION =
  /^(?:\.{0,2}\/|[a-z]:\\)|^[a-z][a-z0-9+.-]*:\/\/[^@]*$|\.(?:pem|key|crt|json|ya?ml|txt|env|jks|p12|pfx|conf)$/i;

/** Finds a secret by its format alone, wherever it stands in the text. */
export function knownFormatIn(text: string): SecretFound | undefined {
  if (text.length < 16 || !MARKS.test(text)) return undefined;
  for (const { what, pattern } of FORMATS) {
    const [match] = pattern.exec(text) ?? [];
    if (match !== undefined && !isExample(match)) return { what, hint: hintOf(match), certain: true };
  }
  return undefined;
}

/** Where known formats stand in a text; a private key from its first line to the end of the text. */
export function* formatsIn(text: string): Generator<[from: number, to: number]> {
  if (!MARKS.test(text)) return;
  for (const { pattern } of FORMATS) {
    let from = 0;
    for (let rest = text; ; rest = text.slice(from)) {
      const match = pattern.exec(rest);
      if (match === null) break;
      const start = from + match.index;
      from = start + match[0].length;
      yield [start, from];
    }
  }
}

/** Finds a password between a user name and a host. */
export function passwordInUrl(text: string): SecretFound | undefined {
  if (!text.includes('://') || !text.includes('@')) return undefined;
  const [, , password] = URL_WITH_PASSWORD.exec(text) ?? [];
  if (password === undefined || isHarmless(password)) return undefined;
  return { what: 'a password in a URL', hint: hintOf(password), certain: true };
}

/**
 * Whether a named value is a secret.
 *
 * @param name the key: an environment variable, a key of a ConfigMap, a flag
 * @param value the text beside it
 */
export function secretIn(name: string, value: string): SecretFound | undefined {
  const known = knownFormatIn(value) ?? passwordInUrl(value);
  if (known !== undefined) return known;
  if (!isSecretName(name) || isHarmless(value) || value.length < 4 || value.length > 4096) return undefined;
  if (/\s/.test(value.trim()) || looksLikeName(value, name)) return undefined;
  return { what: `a value for "${name}"`, hint: hintOf(value), certain: false };
}

/** `key: value`, `key=value`, `"key": "value"` in the files that ConfigMaps carry. */
const ASSIGNMENT =
  /^[ \t]{0,80}(?:export[ \t]+)?["']?([A-Za-z][\w.-]{1,80})["']?[ \t]{0,20}[:=][ \t]{0,20}["']?([^"'\s#;,]{4,200})["']?[ \t]*[,;]?\r?$/gm;
const MAX_TEXT = 256 * 1024;

/** Finds a secret in a named text: the whole of it, or in one line of the file that it is. */
export function secretInText(
  key: string,
  text: string,
): { readonly name: string; readonly found: SecretFound } | undefined {
  const whole = secretIn(text.includes('\n') ? '' : key, text);
  if (whole !== undefined) return { name: key, found: whole };
  if (!text.includes('\n') || text.length > MAX_TEXT) return undefined;
  for (const [, name, value] of text.matchAll(ASSIGNMENT)) {
    const found = isSecretName(name!) ? secretIn(name!, value!) : undefined;
    if (found !== undefined) return { name: `${key}: ${name}`, found };
  }
  return undefined;
}

export function isSecretName(name: string): boolean {
  // clientSecret → client_secret, so that one pattern serves all the ways to write it.
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return SECRET_NAME.test(words) && !NOT_SECRET_NAME.test(words);
}

function isHarmless(value: string): boolean {
  const text = value.trim();
  return PLACEHOLDER.test(text) || REFERENCE.test(text) || LOCATION.test(text);
}

/**
 * A value such as `db-credentials` beside `DB_SECRET` names a Secret object rather than being one: lower-case words
 * joined by dashes or dots, of which one repeats what the name says.
 */
function looksLikeName(value: string, name: string): boolean {
  if (/^[A-Z][A-Z0-9_]*$/.test(value) && value.includes('_')) return true;
  if (!/^[a-z][a-z0-9]*(?:[-._/:][a-z0-9]+)+$/.test(value)) return /^\d{1,5}$/.test(value);
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  return (
    value
      .split(/[-._/:]/)
      .some(word => words.includes(word) || /^(?:secret|token|password|credentials?|key)s?$/.test(word)) ||
    entropyOf(value) < 3
  );
}

/** Keys that vendors print in their own manuals. */
function isExample(text: string): boolean {
  return /EXAMPLE|example|0{12}|1234567890|abcdefghij|xxxxxxxx/.test(text);
}

/** Shannon entropy in bits a character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Four characters at most, and never more than a third of it. */
function hintOf(secret: string): string {
  const shown = Math.min(4, Math.floor(secret.length / 3));
  return `${secret.slice(0, shown)}…`;
}
