/**
 * The string matches of Istio's policies: `*` for anything that is there, `*x` for an end, `x*` for a beginning, else
 * the whole text. Source: istio pilot/pkg/security/authz/matcher/{string,header}.go.
 */
export type TextTest = (text: string) => boolean;

/** A value of a field that is compared with a string. */
export function textTest(value: string): TextTest {
  if (value === '*') return text => text !== '' && !text.includes('\n');
  if (value.startsWith('*')) {
    const end = value.slice(1);
    return text => text.endsWith(end);
  }
  if (value.endsWith('*')) {
    const start = value.slice(0, -1);
    return text => text.startsWith(start);
  }
  return text => text === value;
}

/** A value that is compared with a header that is there: `*` admits an empty one too. */
export function headerTest(value: string): TextTest {
  return value === '*' ? () => true : textTest(value);
}

/** A value of `hosts`: letters of ASCII are alike in both cases. */
export function hostTest(value: string): TextTest {
  const test = headerTest(lower(value));
  return text => test(lower(text));
}

function lower(text: string): string {
  return text.replace(/[A-Z]+/g, part => part.toLowerCase());
}

const SCHEME = 'spiffe://';

/** A value of `principals`, against the whole SPIFFE id. */
export function principalTest(value: string): TextTest {
  if (value === '*') return uri => uri !== '';
  if (value.startsWith('*')) {
    const end = value.slice(1);
    return uri => uri.startsWith(SCHEME) && uri.slice(SCHEME.length).endsWith(end);
  }
  if (value.endsWith('*')) {
    const start = SCHEME + value.slice(0, -1);
    return uri => uri.startsWith(start);
  }
  const whole = SCHEME + value;
  return uri => uri === whole;
}

/** A value of `namespaces`: `/ns/VALUE/` anywhere, where each star is `.*` and may pass over a slash. */
export function namespaceTest(value: string): TextTest {
  const parts = `/ns/${value}/`.split('*');
  return uri => {
    let at = 0;
    for (const part of parts) {
      const found = uri.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return true;
  };
}

/** A value of `serviceAccounts`: `spiffe://.+/ns/NAMESPACE/(.+/|)sa/NAME(/.+)?`. */
export function serviceAccountTest(value: string, policyNamespace: string): TextTest {
  const slash = value.indexOf('/');
  const namespace = slash < 0 ? policyNamespace : value.slice(0, slash);
  const mark = `/ns/${namespace}/`;
  const account = `sa/${value.slice(slash + 1)}`;
  return uri => {
    if (!uri.startsWith(SCHEME)) return false;
    // The first mark leaves the most behind it: whatever a later one admits, this one does too.
    const at = uri.indexOf(mark, SCHEME.length + 1);
    if (at < 0) return false;
    const rest = uri.slice(at + mark.length);
    const ends = (end: number): boolean =>
      end === rest.length || (rest[end] === '/' && end + 1 < rest.length);
    if (rest.startsWith(account) && ends(account.length)) return true;
    for (
      let found = rest.indexOf(`/${account}`, 1);
      found > 0;
      found = rest.indexOf(`/${account}`, found + 1)
    )
      if (ends(found + account.length + 1)) return true;
    return false;
  };
}

/** A value of `trustDomains`. */
export function trustDomainTest(value: string): TextTest {
  if (value === '*') return uri => uri.startsWith(SCHEME);
  const star = value.indexOf('*');
  if (star < 0) return uri => uri.startsWith(`${SCHEME}${value}/`);
  const [start, end] = [value.slice(0, star), value.slice(star + 1)];
  return uri => {
    const domain = trustDomainOf(uri);
    return (
      domain !== undefined &&
      domain.length >= start.length + end.length &&
      domain.startsWith(start) &&
      domain.endsWith(end)
    );
  };
}

/** The trust domain of a SPIFFE id, or undefined where the text is none. */
export function trustDomainOf(uri: string): string | undefined {
  if (!uri.startsWith(SCHEME)) return undefined;
  const end = uri.indexOf('/', SCHEME.length);
  return end < 0 ? undefined : uri.slice(SCHEME.length, end);
}
