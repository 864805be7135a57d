/** Addresses in the texts of manifests: URLs, `host:port`, names of Services; and what a workload's texts are. */
import { namespaceOf } from '#decide/network/inventory.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';

/** A host that a text names. */
export interface NamedHost {
  readonly host: string;
  readonly port: number | undefined;
  /** Whether it surely is an address: of a URL, with a port, or with a Service's full name. */
  readonly certain: boolean;
}

/** A text of a workload: a variable's value, an argument, a file of a ConfigMap. */
export interface OwnText {
  readonly text: string;
  /** What the text is called. */
  readonly where: string;
}

/** Longer texts are read this far: a configuration file is, an archive is not. */
const LONGEST = 2 ** 17;
/** A text that names more hosts is a list of something else. */
const MOST = 1000;

const URL_START = /([a-z][a-z0-9+.-]{0,30}):\/\/([^\s/?#"'`<>|\\]{1,1024})/gi;
const PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  ws: 80,
  wss: 443,
  postgres: 5432,
  postgresql: 5432,
  mysql: 3306,
  redis: 6379,
  rediss: 6379,
  mongodb: 27017,
  amqp: 5672,
  amqps: 5671,
  nats: 4222,
  ldap: 389,
  ldaps: 636,
};
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,8}\.?$/;
/** Whatever could be a host; with a port behind it, or not. */
const WORD = /(?<![\w.@-])([a-z0-9][a-z0-9.-]{0,252})(?::(\d{1,5}))?(?![\w-])/gi;
const ADDRESS_WORDS = /host|addr|url|uri|server|endpoint|broker|upstream|peers|dsn/i;

/** The hosts that a text names. Names and passwords of a URL are none. */
export function hostsIn({ text, where }: OwnText): NamedHost[] {
  const found: NamedHost[] = [];
  const add = (host: string, port: number | undefined, certain: boolean): void => {
    const lower = host.toLowerCase();
    if (found.length < MOST && NAME.test(lower))
      found.push({ host: lower.replace(/\.$/, ''), port, certain });
  };
  const rest = text.slice(0, LONGEST).replace(URL_START, (_, scheme: string, authority: string) => {
    for (const part of authority.slice(authority.lastIndexOf('@') + 1).split(',')) {
      const [, host = '', port] = /^([^:]*)(?::(\d{1,5}))?/.exec(part) ?? [];
      add(host, port === undefined ? PORTS[scheme.toLowerCase().replace(/^jdbc:/, '')] : Number(port), true);
    }
    return ' ';
  });
  const isAddress = ADDRESS_WORDS.test(where);
  for (const [, host = '', port] of rest.matchAll(WORD)) {
    const full = /\.svc(?:\.|$)/i.test(host);
    if (port !== undefined || full) add(host, port === undefined ? undefined : Number(port), true);
    else if (isAddress) add(host, undefined, false);
  }
  return found;
}

/** The ConfigMaps of an input, and the plain texts of its Secrets, by name. */
export class Texts {
  readonly #data = new Map<string, Readonly<Record<string, unknown>>>();

  constructor(objects: readonly KubeObject[]) {
    for (const object of objects) {
      if (object.apiVersion !== 'v1') continue;
      const field = object.kind === 'ConfigMap' ? 'data' : object.kind === 'Secret' ? 'stringData' : '';
      const data = object[field];
      if (isRecord(data)) this.#data.set(`${object.kind} ${namespaceOf(object)}/${nameOf(object)}`, data);
    }
  }

  /** Values of the environment, commands and arguments of a workload, and files of its ConfigMaps. */
  textsOf(object: KubeObject): OwnText[] {
    const spec = podTemplateOf(object)?.pod.spec;
    const texts: OwnText[] = [];
    const add = (value: unknown, where: string): void => {
      if (typeof value === 'string') texts.push({ text: value, where });
    };
    const data = (kind: string, name: unknown): Readonly<Record<string, unknown>> =>
      (typeof name === 'string' ? this.#data.get(`${kind} ${namespaceOf(object)}/${name}`) : undefined) ?? {};
    for (const container of [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]) {
      for (const variable of listAt(container, 'env')) {
        const name = String(valueAt(variable, ['name']));
        add(valueAt(variable, ['value']), name);
        for (const [kind, field] of KINDS) {
          const reference = valueAt(variable, ['valueFrom', `${field}KeyRef`]);
          const key = valueAt(reference, ['key']);
          const values = data(kind, valueAt(reference, ['name']));
          if (typeof key === 'string' && Object.hasOwn(values, key)) add(values[key], name);
        }
      }
      for (const source of listAt(container, 'envFrom'))
        for (const [kind, field] of KINDS)
          for (const [key, value] of Object.entries(data(kind, valueAt(source, [`${field}Ref`, 'name']))))
            add(value, key);
      for (const field of ['command', 'args'])
        for (const value of listAt(container, field)) add(value, field);
    }
    for (const volume of listAt(spec, 'volumes')) {
      const sources = [volume, ...listAt(valueAt(volume, ['projected']), 'sources')];
      for (const source of sources)
        for (const [kind, name] of [
          ['ConfigMap', valueAt(source, ['configMap', 'name'])],
          ['Secret', valueAt(source, ['secret', 'secretName']) ?? valueAt(source, ['secret', 'name'])],
        ] as const)
          for (const [key, value] of Object.entries(data(kind, name)))
            add(value, `file ${key} of ${kind} ${String(name)}`);
    }
    return texts;
  }
}

const KINDS = [
  ['ConfigMap', 'configMap'],
  ['Secret', 'secret'],
] as const;

function listAt(value: unknown, field: string): readonly unknown[] {
  const list = valueAt(value, [field]);
  return Array.isArray(list) ? list : [];
}
