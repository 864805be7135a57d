/** What the authorization commands share: the world, the resources it knows, users as they really are. */

import { readFileSync } from 'node:fs';
import {
  type Attributes,
  attributesOf,
  type ChainAuthorizer,
  ConfigurationError,
  createAuthorizer,
  PolicyError,
  RequestError,
  type UserInfo,
  type WebhookAnswer,
} from '#decide/authorization/door.ts';
import { shippedRolesBeside } from '#decide/authorization/shipped.ts';
import { type ApiResource, builtInResources, findResource, resourceOf } from '#kube/api-resources.ts';
import { toJson } from '#kube/json.ts';
import { nearest } from '#kube/nearest.ts';
import { type Because, isRecord, type KubeObject, referenceOf, valueAt } from '#kube/objects.ts';
import { yamlDocuments } from '#kube/yaml-text.ts';
import { objectName, safe } from '#report/safe.ts';
import { newestMinor, World } from '#world/world.ts';
import type { Parsed } from './command.ts';
import { readConfig } from './config.ts';
import { UsageError } from './errors.ts';
import { readInput, tellOfEnvironments } from './input.ts';
import { print, tell } from './output.ts';
import { wrap } from './wrap.ts';

export interface Questions {
  readonly world: World;
  readonly authorizer: ChainAuthorizer;
  readonly resources: readonly ApiResource[];
  /** The groups of users that `--groups` tells of. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** Reads the roles and bindings below the paths of `-f` (default: here), and the ABAC policy file if one is named. */
export async function questions(parsed: Parsed): Promise<Questions> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  // Whole, for the definitions of custom resources say what there is to ask for.
  const { declared, gaps } = await readInput(parsed, parsed.values('filename'), config, { lean: false });
  // Where all environments grant the same, it makes no difference.
  tellOfEnvironments(parsed, {
    declared: declared.filter(({ object }) => object.apiVersion.startsWith('rbac.authorization.k8s.io/')),
  });
  const world = new World({ declared, gaps, kubernetesMinor: newestMinor });
  const groups = await groupsOf(parsed.value('groups'));
  const policy = parsed.value('abac-policy');
  const configuration = parsed.value('authorization-config');
  try {
    const objects = declared.map(({ object }) => object);
    const authorizer = createAuthorizer({
      // What is bound to view, edit or admin depends on no file: every cluster has these roles.
      objects: [...objects, ...shippedRolesBeside(objects)],
      groups,
      ...(policy === undefined ? {} : { abacPolicy: readPolicy(policy) }),
      ...(configuration === undefined
        ? policy === undefined
          ? {}
          : { chain: ['system:masters', 'RBAC', 'ABAC'] }
        : { configuration: readPolicy(configuration) }),
    });
    const custom = world
      .ofKind('apiextensions.k8s.io/CustomResourceDefinition')
      .flatMap(({ object }) => resourceOf(object) ?? []);
    return { world, authorizer, resources: [...builtInResources, ...custom], groups };
  } catch (error) {
    if (error instanceof ConfigurationError)
      throw new UsageError(
        `${at(configuration!, error.line)}: the API server would not start with it: ${error.message}`,
      );
    if (error instanceof PolicyError)
      throw new UsageError(
        `${at(policy!, error.line)}: the API server would not start with it: ${error.message.replace(/^line \d+: /, '')}`,
      );
    throw error;
  }
}

function at(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}

/**
 * Who is in which groups, as only the identity provider knows: a mapping of users to lists of groups.
 *
 * @throws UsageError with the line, for a file that is no such mapping
 */
async function groupsOf(path: string | undefined): Promise<Readonly<Record<string, readonly string[]>>> {
  if (path === undefined) return {};
  const text = readPolicy(path);
  const { readDocuments } = await import('#yaml/read.ts');
  const { Locator } = await import('#yaml/locate.ts');
  const [document] = readDocuments(text);
  if (document?.is === 'error') throw new UsageError(`${path}:${document.line}: ${document.message}`);
  if (document?.is !== 'value') return {};
  const groups: Record<string, readonly string[]> = Object.create(null) as Record<string, readonly string[]>;
  const wrong = (step: string[]): UsageError => {
    const { located } = new Locator(text, document).nearest(step);
    return new UsageError(
      `${path}:${(located.key ?? located.value).line}: a mapping of users to lists of groups is expected`,
      'for example: jane@example.com: [developers, on-call]',
    );
  };
  const { value } = document;
  if (!isRecord(value)) throw wrong([]);
  for (const [user, list] of Object.entries(value)) {
    if (!Array.isArray(list) || list.some(group => typeof group !== 'string')) throw wrong([user]);
    groups[user] = list as readonly string[];
  }
  return groups;
}

/**
 * What webhooks say, as `--webhook NAME=allow|deny|no-opinion|fail` puts it.
 *
 * @throws UsageError for another word
 */
export function webhooksOf(parsed: Parsed): Readonly<Record<string, WebhookAnswer>> {
  const answers: Readonly<Record<string, WebhookAnswer>> = {
    allow: { allowed: true },
    deny: { denied: true },
    'no-opinion': {},
    fail: { fail: true },
  };
  return Object.fromEntries(
    parsed.values('webhook').map(word => {
      const [, name, answer = ''] = /^(.+)=(.*)$/s.exec(word) ?? [];
      if (name === undefined || !Object.hasOwn(answers, answer))
        throw new UsageError(`--webhook: "${word}" is none of NAME=${Object.keys(answers).join(', NAME=')}`);
      return [name, answers[answer]!];
    }),
  );
}

/** A request as HTTP makes it: `GET /api/v1/namespaces/shop/pods?watch=1`. @throws UsageError for what is none */
export function rawRequest([method, target, ...more]: readonly string[]): Omit<Attributes, 'user'> {
  if (method === undefined || target === undefined || more.length > 0 || !target.startsWith('/'))
    throw new UsageError(
      '--raw needs a method and a path',
      'for example: --raw GET "/api/v1/namespaces/shop/pods?watch=1"',
    );
  try {
    return attributesOf(method, target);
  } catch (error) {
    if (error instanceof RequestError) throw new UsageError(`${target}: ${error.message}`);
    throw error;
  }
}

function readPolicy(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} could not be read: ${(error as Error).message}`);
  }
}

/**
 * A user with the groups that the API server derives: those of a service account, and of everyone who is known.
 * Source: apiserver pkg/endpoints/filters/impersonation.go.
 */
export function userOf(name: string, groups: readonly string[]): UserInfo {
  if (name === 'system:anonymous')
    return { name, groups: [...new Set([...groups, 'system:unauthenticated'])] };
  const [, , namespace] = name.startsWith('system:serviceaccount:') ? name.split(':') : [];
  const derived =
    namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  return { name, groups: [...new Set([...groups, ...derived, 'system:authenticated'])] };
}

/** Who is asked about: as operands, or as kubectl names them, with `--as`. */
export function subjectsAsked(parsed: Parsed): readonly string[] {
  return [...parsed.operands, ...parsed.values('as')];
}

/** @throws UsageError for one namespace and all of them at once */
export function namespaceAsked(parsed: Parsed): string {
  const namespace = parsed.value('namespace');
  if (namespace !== undefined && parsed.has('all-namespaces'))
    throw new UsageError('-n and -A exclude each other', 'leave one of them out');
  return namespace ?? '';
}

/**
 * The request that words mean: `get pods`, `create pods/exec`, `patch deploy web`, `get /healthz`.
 *
 * @throws UsageError for a resource that nobody serves, or a scope that it does not have
 */
export function requestOf(parsed: Parsed, { resources }: Questions): Omit<Attributes, 'user'> {
  const [verb, target, name, ...more] = parsed.operands;
  if (verb === undefined || target === undefined || more.length > 0)
    throw new UsageError(
      'a verb and a resource are needed',
      'for example: get pods, create pods/exec, patch deployments.apps web, get /healthz',
    );
  if (target.startsWith('/')) return { verb: verb.toLowerCase(), path: target, resourceRequest: false };
  const [word, subresource] = target.split('/') as [string, string?];
  const named = name ?? '';
  // The API server takes no such name for anything; most likely it is a file.
  if (named.includes('/'))
    throw new UsageError(`"${named}" is no name of an object`, 'files and folders are given with -f');
  const namespace = namespaceAsked(parsed);
  const rest = { ...(subresource === undefined ? {} : { subresource }), name: named, resourceRequest: true };
  if (word === '*') return { verb, resource: '*', apiGroup: '*', namespace, ...rest };
  const resource = findResource(word, resources);
  if (resource === undefined) {
    const meant = nearest(
      word.split('.')[0]!,
      resources.flatMap(one => [one.name, ...one.shortNames]),
    );
    throw new UsageError(
      `no resource is called "${word}"`,
      meant === undefined
        ? 'a custom resource is known from its definition in the input'
        : `did you mean ${meant}?`,
    );
  }
  if (subresource !== undefined && subresource !== '*' && !resource.subresources.includes(subresource)) {
    const meant = nearest(subresource, resource.subresources);
    throw new UsageError(
      `${resource.name} have no subresource "${subresource}"`,
      meant === undefined ? undefined : `did you mean ${resource.name}/${meant}?`,
    );
  }
  if (!resource.namespaced && namespace !== '' && resource.name !== 'namespaces')
    throw new UsageError(`${resource.name} are not in a namespace`, 'leave out -n');
  return { verb, resource: resource.name, apiGroup: resource.group, namespace, ...rest };
}

/**
 * Prints data where `-o json` or `-o yaml` asks for it.
 *
 * @param make called only then
 * @returns whether it did
 */
export function printedAsData(parsed: Parsed, make: () => unknown): boolean {
  const format = parsed.value('format');
  if (format !== 'json' && format !== 'yaml') return false;
  const json = toJson(make());
  print(format === 'json' ? json : yamlDocuments([JSON.parse(json)]).replace(/^---\n ?/, ''));
  return true;
}

/** So much of what is missing is told. */
const MISSING_SHOWN = 5;

/**
 * Tells what the answer does not rest on: bindings whose role is not in the input or cannot be decoded, and places that
 * could not be read.
 *
 * @returns whether there is any: then nothing that was not found is certain
 */
export function tellMissing(parsed: Parsed, { world, authorizer }: Questions): boolean {
  const missing = [
    ...authorizer.dangling().map(({ object, error }) => {
      const origin = world.declarationOf(object)?.origin;
      const path = valueAt(object, ['roleRef', 'name']) === undefined ? ['roleRef'] : ['roleRef', 'name'];
      const place = origin === undefined ? '' : `${safe(origin.file)}:${origin.positionOf(path).line} `;
      return `${place}${objectName(referenceOf(object))}: ${safe(error)}; what it grants is not known`;
    }),
    ...world.gaps.map(({ file, line, reason }) => {
      const place = file === undefined ? '' : `${safe(file)}${line === undefined ? '' : `:${line}`} `;
      return `${place}could not be read: ${safe(reason)}`;
    }),
  ];
  if (!parsed.has('quiet')) {
    for (const text of missing.slice(0, MISSING_SHOWN)) tell(`sallyport: ${text}\n`);
    if (missing.length > MISSING_SHOWN)
      tell(
        `sallyport: and ${missing.length - MISSING_SHOWN} more like these; sallyport inventory tells of places\n`,
      );
  }
  return missing.length > 0;
}

/** Breaks text into lines of a terminal's width; `-o wide` leaves them whole. */
export function folding(parsed: Parsed): typeof wrap {
  return parsed.value('format') === 'wide' ? (text, first) => [first + text] : wrap;
}

/** Whether the reasons are asked for: `--explain`, or `-o wide`. */
export function explained(parsed: Parsed): boolean {
  return parsed.has('explain') || parsed.value('format') === 'wide';
}

/** Why, with file and line: one step a line. */
export function steps(because: readonly Because[], world: World): string[] {
  return because.map(({ object, path, text }) => {
    const origin = object === undefined ? undefined : world.declarationOf(object)?.origin;
    if (origin === undefined) return safe(text);
    const { file, line } = origin.positionOf(path ?? []);
    return `${safe(file)}:${line} ${safe(text)}`;
  });
}

/** Where the bindings of a step stand: `rbac.yaml:3 ClusterRoleBinding release`. */
export function bindingPlaces(bindings: readonly KubeObject[], world: World): string[] {
  return bindings.map(binding => {
    const origin = world.declarationOf(binding)?.origin;
    const place = origin === undefined ? '' : `${safe(origin.file)}:${origin.positionOf(['roleRef']).line} `;
    return `${place}${objectName(referenceOf(binding))}`;
  });
}

/** The same as data. */
export function stepsAsData(because: readonly Because[], world: World): object[] {
  return because.map(({ object, path, text }) => {
    const origin = object === undefined ? undefined : world.declarationOf(object)?.origin;
    if (origin === undefined) return { text };
    const { file, line } = origin.positionOf(path ?? []);
    return { text, file, line };
  });
}
