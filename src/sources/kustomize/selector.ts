/** Which resources a patch or a replacement is for. Source: api/types/selector.go, k8sgen/pkg/labels/selector.go. */
import { RE2JS, RE2JSException } from 're2js';
import { effectiveNamespace, type ResId } from './ids.ts';
import { BuildError } from './node.ts';

export interface SelectorFields {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

/** A pattern that fits somewhere in the text. RE2: it takes linear time, whatever the pattern. */
export function regex(pattern: string): (text: string) => boolean {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  let matches: (text: string) => boolean;
  try {
    const re2 = RE2JS.compile(pattern);
    matches = text => re2.matcher(text).find();
  } catch (error) {
    if (error instanceof RE2JSException) throw new BuildError(error.message);
    throw error;
  }
  // Overlays of one base ask with the same patterns.
  if (compiled.size >= MOST_COMPILED) compiled.clear();
  compiled.set(pattern, matches);
  return matches;
}

const compiled = new Map<string, (text: string) => boolean>();
const MOST_COMPILED = 200;

function whole(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined || pattern === '') return () => true;
  if (/^[-A-Za-z0-9_]+$/.test(pattern)) return text => text === pattern;
  return regex(`^(?:${pattern})$`);
}

/** What a selector asks a resource for. */
interface Selectable {
  readonly id: ResId;
  readonly originalId: ResId;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
}

export class Selector {
  readonly #group: (text: string) => boolean;
  readonly #version: (text: string) => boolean;
  readonly #kind: (text: string) => boolean;
  readonly #name: (text: string) => boolean;
  readonly #namespace: (text: string) => boolean;
  readonly #labels: Requirements;
  readonly #annotations: Requirements;

  constructor(fields: SelectorFields) {
    this.#group = whole(fields.group);
    this.#version = whole(fields.version);
    this.#kind = whole(fields.kind);
    this.#name = whole(fields.name);
    this.#namespace = whole(fields.namespace);
    this.#labels = new Requirements(fields.labelSelector ?? '');
    this.#annotations = new Requirements(fields.annotationSelector ?? '');
  }

  fits(resource: Selectable): boolean {
    const { id, originalId } = resource;
    return (
      (this.#namespace(effectiveNamespace(originalId)) || this.#namespace(effectiveNamespace(id))) &&
      (this.#name(originalId.name) || this.#name(id.name)) &&
      this.#group(id.group) &&
      this.#version(id.version) &&
      this.#kind(id.kind) &&
      this.#labels.fit(resource.labels) &&
      this.#annotations.fit(resource.annotations)
    );
  }
}

type Requirement = (labels: ReadonlyMap<string, string>) => boolean;

/** A label selector as text: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. */
export class Requirements {
  readonly #requirements: readonly Requirement[];

  constructor(text: string) {
    this.#requirements = new LabelParser(text).parse();
  }

  fit(labels: ReadonlyMap<string, string>): boolean {
    return this.#requirements.every(requirement => requirement(labels));
  }
}

const TOKEN = /\s*(notin\b|in\b|==|!=|[(),=!<>]|[^\s(),=!<>]+)/y;

class LabelParser {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const match = TOKEN.exec(text);
      if (match === null) break;
      this.#tokens.push(match[1]!);
    }
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    if (this.#tokens.length === 0) return requirements;
    for (;;) {
      requirements.push(this.#requirement());
      if (this.#at === this.#tokens.length) return requirements;
      this.#expect(',');
    }
  }

  #expect(token: string): void {
    const found = this.#tokens[this.#at++];
    if (found !== token)
      throw new BuildError(`unable to parse requirement: found '${found ?? ''}', expected: '${token}'`);
  }

  #requirement(): Requirement {
    if (this.#tokens[this.#at] === '!') {
      this.#at++;
      const key = this.#word();
      return labels => !labels.has(key);
    }
    const key = this.#word();
    const operator = this.#tokens[this.#at];
    if (operator === undefined || operator === ',') return labels => labels.has(key);
    this.#at++;
    switch (operator) {
      case '=':
      case '==': {
        const value = this.#value();
        return labels => labels.get(key) === value;
      }
      case '!=': {
        const value = this.#value();
        return labels => labels.get(key) !== value;
      }
      case '<':
      case '>': {
        const bound = Number(this.#value());
        if (!Number.isInteger(bound))
          throw new BuildError("for 'Gt', 'Lt' operators, the value must be an integer");
        return labels => {
          const value = labels.get(key);
          if (value === undefined || !/^[-+]?[0-9]+$/.test(value)) return false;
          return operator === '<' ? Number(value) < bound : Number(value) > bound;
        };
      }
      case 'in':
      case 'notin': {
        const values = this.#values();
        return operator === 'in'
          ? labels => labels.has(key) && values.has(labels.get(key)!)
          : labels => !labels.has(key) || !values.has(labels.get(key)!);
      }
      default:
        throw new BuildError(
          `unable to parse requirement: found '${operator}', expected: in, notin, =, ==, !=, gt, lt`,
        );
    }
  }

  #word(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined || /^[(),=!<>]/.test(token))
      throw new BuildError(`unable to parse requirement: found '${token ?? ''}', expected: identifier`);
    return token;
  }

  #value(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined || token === ',') return '';
    return this.#word();
  }

  #values(): Set<string> {
    const values = new Set<string>();
    this.#expect('(');
    for (;;) {
      if (this.#tokens[this.#at] === ')') break;
      if (this.#tokens[this.#at] === ',') {
        values.add('');
        this.#at++;
        continue;
      }
      values.add(this.#word());
      if (this.#tokens[this.#at] !== ',') break;
      this.#at++;
      if (this.#tokens[this.#at] === ')') values.add('');
    }
    this.#expect(')');
    return values;
  }
}
