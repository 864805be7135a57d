/**
 * How an ApplicationSet fills in its templates: `{{name}}`, or Go's templates with sprig's functions and three of Argo
 * CD's own. Source: argoproj/argo-cd applicationset/utils (utils.go, template_functions.go).
 */
import { isRecord } from '#kube/objects.ts';
import { BudgetError } from '#sources/helm/budget.ts';
import { define } from '#sources/helm/define.ts';
import type { Fn } from '#sources/helm/exec.ts';
import { goTemplate } from '#sources/helm/go-template.ts';
import { readYaml } from '#sources/helm/read-values.ts';
import { GoError, GoMap, GoSlice, type Int } from '#sources/helm/value.ts';
import { writeYaml } from '#sources/helm/yaml-write.ts';

type Plain = Readonly<Record<string, unknown>>;

/** What cannot be worked out, in words that follow the name of the ApplicationSet. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export interface Fill {
  /** @throws TemplateError */
  text(template: string, parameters: Plain): string;
  /** All texts in a value, keys too. */
  deeply(value: unknown, parameters: Plain): unknown;
}

export function fillOf(go: boolean, strict: boolean): Fill {
  const text = (template: string, parameters: Plain): string =>
    template.includes('{{')
      ? go
        ? goText(template, parameters, strict)
        : plainText(template, parameters)
      : template;
  const deeply = (value: unknown, parameters: Plain): unknown => {
    if (typeof value === 'string') return text(value, parameters);
    if (Array.isArray(value)) return value.map(one => deeply(one, parameters));
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [text(key, parameters), deeply(one, parameters)]),
    );
  };
  return { text, deeply };
}

/** Names that no generator gives stay as they are (valyala/fasttemplate). */
function plainText(template: string, parameters: Plain): string {
  return template.replace(/\{\{(.*?)\}\}/gs, (whole, tag: string) => {
    const found = parameters[tag.trim()];
    return typeof found === 'string' && tag.trim() !== '' ? found : whole;
  });
}

function goText(template: string, parameters: Plain, strict: boolean): string {
  try {
    return goTemplate(template, parameters, { strict, functions: FUNCTIONS });
  } catch (error) {
    if (!(error instanceof GoError) && !(error instanceof BudgetError)) throw error;
    throw new TemplateError(
      `its template ${shortened(template)} cannot be filled in: ${error.message.replace(/^template: (?::\d+(?::\d+)?: )?/, '').replaceAll('\n', ' ')}`,
    );
  }
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

/** SanitizeName: lower case, letters, digits, dashes and dots. */
export function normalized(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-a-z0-9.]/g, '-')
    .slice(0, 253)
    .replace(/^[-.]+|[-.]+$/g, '');
}

/** gosimple/slug of a sanitized name. */
function slugged(name: string, most: number, smart: boolean): string {
  const slug = normalized(name)
    .replace(/[^a-z0-9_-]/g, '-')
    .replace(/-+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '');
  if (most <= 0 || slug.length <= most) return slug;
  if (!smart) return slug.slice(0, most);
  const at = slug.lastIndexOf('-', most);
  return slug.slice(0, at > 0 ? at : most);
}

const NEW_EVERY_TIME =
  'randAlphaNum randAlpha randAscii randNumeric randBytes randInt shuffle uuidv4 now ago genPrivateKey genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey htpasswd bcrypt encryptAES';

const FUNCTIONS: Readonly<Record<string, Fn>> = {
  normalize: define('string', ([name]) => normalized(name as string)),
  slugify: define('...any', args => {
    const name = args.at(-1);
    if (typeof name !== 'string') throw new GoError('slugify needs a string');
    const most = args.length > 1 ? Number((args[0] as Int).value) : 50;
    return slugged(name, most, args.length > 2 ? args[1] === true : true);
  }),
  toYaml: define('any', ([value]) => writeYaml(value).text),
  fromYaml: define('string', ([text]) => {
    const value = readYaml(text as string);
    if (value !== null && !(value instanceof GoMap)) throw new GoError('the text holds no mapping');
    return value ?? new GoMap();
  }),
  fromYamlArray: define('string', ([text]) => {
    const value = readYaml(text as string);
    if (value !== null && !(value instanceof GoSlice)) throw new GoError('the text holds no list');
    return value ?? new GoSlice();
  }),
  ...Object.fromEntries(
    NEW_EVERY_TIME.split(' ').map(name => [
      name,
      define('...any', () => {
        throw new GoError(`${name} gives something new every time`);
      }),
    ]),
  ),
};
