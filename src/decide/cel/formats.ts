/** Named formats of strings. Source: apiserver pkg/cel/library/format.go, apimachinery pkg/util/validation. */
import { parseTimestamp } from './time.ts';
import { opaque } from './types.ts';
import { parseUrl } from './urls.ts';
import { encodeUtf8 } from './utf8.ts';
import { Opaque } from './values.ts';

export const FORMAT = opaque('kubernetes.NamedFormat');

export class Format extends Opaque {
  readonly typeName = 'kubernetes.NamedFormat';
  readonly name: string;
  readonly validate: (text: string) => string[];
  /** The length of the regular expression that the API server charges for. */
  readonly regexSize: number;

  constructor(name: string, regexSize: number, validate: (text: string) => string[]) {
    super();
    this.name = name;
    this.regexSize = regexSize;
    this.validate = validate;
  }

  equals(other: Opaque): boolean {
    return other instanceof Format && other.name === this.name;
  }
}

const tooLong = (text: string, most: number): string[] =>
  encodeUtf8(text).length > most ? [`must be no more than ${most} bytes`] : [];
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const isLabel = (text: string) => /^[a-z0-9][-a-z0-9]*$/.test(text) && !text.endsWith('-');
const isQualified = (text: string) => /^[A-Za-z0-9][-A-Za-z0-9_.]*$/.test(text) && !/[-_.]$/.test(text);
/** A prefix may end with a dash: what follows is added by the API server. */
const asPrefix = (text: string) => (text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

export const dnsLabel = (text: string): string[] => [...tooLong(text, 63), ...(isLabel(text) ? [] : [LABEL])];
export const dnsSubdomain = (text: string): string[] => [
  ...tooLong(text, 253),
  ...(text !== '' && text.split('.').every(isLabel) ? [] : [SUBDOMAIN]),
];
const dns1035Label = (text: string): string[] => [
  ...tooLong(text, 63),
  ...(isLabel(text) && /^[a-z]/.test(text) ? [] : [LABEL_1035]),
];
const labelValue = (text: string): string[] => [
  ...tooLong(text, 63),
  ...(text === '' || isQualified(text) ? [] : [LABEL_VALUE]),
];

export function qualifiedName(text: string): string[] {
  const parts = text.split('/');
  if (parts.length > 2)
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  const name = parts.at(-1)!;
  const issues: string[] = [];
  if (parts.length === 2) {
    if (parts[0] === '') issues.push('prefix part must be non-empty');
    else issues.push(...dnsSubdomain(parts[0]!).map(issue => `prefix part ${issue}`));
  }
  if (name === '') return [...issues, 'name part must be non-empty'];
  issues.push(...tooLong(name, 63).map(issue => `name part ${issue}`));
  if (!isQualified(name)) issues.push(QUALIFIED);
  return issues;
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

export const FORMATS: Readonly<Record<string, Format>> = {
  dns1123Label: new Format('DNS1123Label', 30, dnsLabel),
  dns1123Subdomain: new Format('DNS1123Subdomain', 60, dnsSubdomain),
  dns1035Label: new Format('DNS1035Label', 30, dns1035Label),
  qualifiedName: new Format('QualifiedName', 60, qualifiedName),
  dns1123LabelPrefix: new Format('DNS1123LabelPrefix', 30, text => dnsLabel(asPrefix(text))),
  dns1123SubdomainPrefix: new Format('DNS1123SubdomainPrefix', 60, text => dnsSubdomain(asPrefix(text))),
  dns1035LabelPrefix: new Format('DNS1035LabelPrefix', 30, text => dns1035Label(asPrefix(text))),
  labelValue: new Format('LabelValue', 40, labelValue),
  uri: new Format('URI', 300, text => {
    const url = parseUrl(text);
    return typeof url === 'string' ? [url] : [];
  }),
  uuid: new Format('uuid', 90, text => (UUID.test(text) ? [] : ['does not match the UUID format'])),
  byte: new Format('byte', 84, text =>
    text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? [] : ['invalid base64'],
  ),
  date: new Format('date', 121, text =>
    /^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(`${text}T00:00:00Z`) !== undefined
      ? []
      : ['invalid date'],
  ),
  datetime: new Format('datetime', 121, text =>
    parseTimestamp(text) === undefined ? ['invalid datetime'] : [],
  ),
};
