/** What a chart can ask of the cluster, its files and its release: `.Capabilities`, `.Files`, `.Release`. */

import { define } from './define.ts';
import { FILES_METHODS, SLICE_METHODS } from './exec.ts';
import { globMatcher } from './glob.ts';
import { basePath } from './paths.ts';
import { newVersion } from './semver.ts';
import {
  base64,
  bytesSlice,
  compareStrings,
  GoError,
  GoMap,
  GoSlice,
  GoStruct,
  type Method,
  type Value,
} from './value.ts';
import { writeYaml } from './yaml-write.ts';

/** The API versions that helm 4.1.4 knows without a cluster: client-go's scheme, from `helm template` itself. */
const API_VERSIONS: readonly string[] =
  'v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1 admissionregistration.k8s.io/v1beta1 internal.apiserver.k8s.io/v1alpha1 apps/v1 apps/v1beta1 apps/v1beta2 authentication.k8s.io/v1 authentication.k8s.io/v1alpha1 authentication.k8s.io/v1beta1 authorization.k8s.io/v1 authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 autoscaling/v2beta1 autoscaling/v2beta2 batch/v1 batch/v1beta1 certificates.k8s.io/v1 certificates.k8s.io/v1beta1 certificates.k8s.io/v1alpha1 coordination.k8s.io/v1alpha2 coordination.k8s.io/v1beta1 coordination.k8s.io/v1 discovery.k8s.io/v1 discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1 flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta1 flowcontrol.apiserver.k8s.io/v1beta2 flowcontrol.apiserver.k8s.io/v1beta3 networking.k8s.io/v1 networking.k8s.io/v1beta1 node.k8s.io/v1 node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1 policy/v1beta1 rbac.authorization.k8s.io/v1 rbac.authorization.k8s.io/v1beta1 rbac.authorization.k8s.io/v1alpha1 resource.k8s.io/v1 resource.k8s.io/v1beta2 resource.k8s.io/v1beta1 resource.k8s.io/v1alpha3 scheduling.k8s.io/v1alpha1 scheduling.k8s.io/v1beta1 scheduling.k8s.io/v1 storage.k8s.io/v1beta1 storage.k8s.io/v1 storage.k8s.io/v1alpha1 storagemigration.k8s.io/v1beta1 apiextensions.k8s.io/v1beta1 apiextensions.k8s.io/v1'.split(
    ' ',
  );

/** The Kubernetes version that helm 4.1.4 stands for without a cluster. */
const DEFAULT_KUBE_VERSION = 'v1.35.0';

/** `.Capabilities`. */
export function capabilities(kubeVersion = DEFAULT_KUBE_VERSION, more: readonly string[] = []): GoStruct {
  const version = parseKubeVersion(kubeVersion);
  const text = version.version;
  const get = (value: Value): Method => ({ params: '', call: () => value });
  const kube = new GoStruct('*common.KubeVersion', {
    text,
    fields: new Map<string, Value>([
      ['Version', text],
      ['Major', version.major],
      ['Minor', version.minor],
    ]),
    methods: new Map([
      ['String', get(text)],
      ['GitVersion', get(text)],
    ]),
  });
  return new GoStruct('*common.Capabilities', {
    fields: new Map<string, Value>([
      ['KubeVersion', kube],
      ['APIVersions', new GoSlice([...API_VERSIONS, ...more], 'common.VersionSet')],
      [
        'HelmVersion',
        new GoStruct('version.BuildInfo', {
          fields: new Map<string, Value>([
            ['Version', 'v4.1.4'],
            ['GitCommit', '05fa37973dc9e42b76e1d2883494c87174b6074f'],
            ['GitTreeState', 'clean'],
            ['GoVersion', 'go1.25.9'],
            ['KubeClientVersion', 'v1.35'],
          ]),
        }),
      ],
    ]),
  });
}

/** common.ParseKubeVersion: the version as given, with a v before it. */
export function parseKubeVersion(text: string): { version: string; major: string; minor: string } {
  const version = newVersion(text);
  return {
    version: text.startsWith('v') ? text : `v${text}`,
    major: String(version.major),
    minor: String(version.minor),
  };
}

SLICE_METHODS['common.VersionSet'] = {
  Has: define('string', ([set, version]) => (set as GoSlice).items.includes(version as string)),
};

/** What stands for a file whose text was not asked for yet. */
export interface LazyText {
  readonly name: string;
  readonly text: string;
}

/** Files by name; the text of each is made when it is asked for. */
class FileTexts extends Map<string, Value> {
  readonly #files: ReadonlyMap<string, LazyText>;

  constructor(files: readonly LazyText[]) {
    super();
    this.#files = new Map(files.map(file => [file.name, file]));
    for (const name of this.#files.keys()) super.set(name, undefined);
  }

  override get(name: string): Value {
    return this.#files.get(name)?.text;
  }

  override *entries(): MapIterator<[string, Value]> {
    for (const [name, { text }] of this.#files) yield [name, text];
  }

  override *values(): MapIterator<Value> {
    for (const { text } of this.#files.values()) yield text;
  }

  override [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  override forEach(each: (value: Value, key: string, map: Map<string, Value>) => void): void {
    for (const [name, { text }] of this.#files) each(text, name, this);
  }
}

/** `.Files`: what a chart holds beside its templates. Values are texts of bytes. */
export function filesOf(files: readonly LazyText[]): GoMap {
  return new GoMap(new FileTexts(files), 'chart.Files');
}

const entries = (files: Value): [string, string][] =>
  files instanceof GoMap
    ? ([...files.entries].sort(([a], [b]) => compareStrings(a, b)) as [string, string][])
    : [];

const text = (files: Value, name: Value): string =>
  ((files as GoMap).entries.get(name as string) as string | undefined) ?? '';

const yaml = (files: Value, value: (content: string) => string): string =>
  writeYaml(new GoMap(new Map(entries(files).map(([name, content]) => [basePath(name), value(content)]))))
    .text;

Object.assign(FILES_METHODS, {
  Get: define('string', ([files, name], context) => {
    context.tracer?.given(`.Files.Get ${name as string}`);
    return text(files, name);
  }),
  GetBytes: define('string', ([files, name]) => bytesSlice(text(files, name))),
  Lines: define('string', ([files, name]) => {
    if (!(files as GoMap).entries.has(name as string)) return new GoSlice([], '[]string');
    const content = text(files, name);
    if (content === '') throw new GoError('runtime error: index out of range [-1]');
    return new GoSlice(content.replace(/\n$/, '').split('\n'), '[]string');
  }),
  Glob: define('string', ([files, pattern]) => {
    const matches = globMatcher(pattern as string);
    const { entries: all } = files as GoMap;
    return filesOf(
      [...all.keys()]
        .filter(matches)
        .sort(compareStrings)
        .map(name => ({
          name,
          get text() {
            return all.get(name) as string;
          },
        })),
    );
  }),
  AsConfig: define('', ([files]) => yaml(files, content => content)),
  AsSecrets: define('', ([files]) => yaml(files, base64)),
});
