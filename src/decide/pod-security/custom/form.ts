/**
 * The form of a pod security profile as a team writes it: one table, from which it is read, and from which the JSON
 * Schema of `sallyport.yaml` is made. The names are those of PodSecurityPolicy where it had them.
 */
import { nearest } from '#kube/nearest.ts';
import { isRecord, type Path } from '#kube/objects.ts';

/** What a value must be, and what it means. */
export type Form = { readonly about: string } & (
  | { readonly is: 'flag' }
  | { readonly is: 'text'; readonly pattern?: RegExp; readonly like?: string }
  | { readonly is: 'choice'; readonly of: readonly string[] }
  | { readonly is: 'number'; readonly min: number; readonly max: number }
  | { readonly is: 'list'; readonly of: Form; readonly filled?: boolean }
  /** A mapping of any words to texts. */
  | { readonly is: 'labels'; readonly ofFiles?: boolean }
  | {
      readonly is: 'mapping';
      readonly fields: Readonly<Record<string, Form>>;
      readonly required?: readonly string[];
    }
);

/** A profile that is not understood: what is wrong, and where in the value. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
  readonly path: Path;
  readonly hint: string | undefined;

  constructor(path: Path, message: string, hint?: string) {
    super(message);
    this.path = path;
    this.hint = hint;
  }
}

const flag = (about: string): Form => ({ is: 'flag', about });
const text = (about: string): Form => ({ is: 'text', about });
const words = (about: string, filled = false): Form => ({
  is: 'list',
  about,
  filled,
  of: { is: 'text', about: '' },
});
const mapping = (
  about: string,
  fields: Readonly<Record<string, Form>>,
  required: readonly string[] = [],
): Form => ({
  is: 'mapping',
  about,
  fields,
  required,
});
const list = (about: string, of: Form): Form => ({ is: 'list', about, of });
const files = (what: string, named = 'as localhostProfile'): Form => ({
  is: 'labels',
  about: `By the name that pods give ${named}, the file of the repository that holds it: ${what}. Paths start at sallyport.yaml.`,
  ofFiles: true,
});

/** The largest id that the kernel has; the API server takes none above. */
const MAX_ID = 2 ** 31 - 1;

const range = (max: number): Form =>
  mapping(
    '',
    { min: { is: 'number', about: '', min: 0, max }, max: { is: 'number', about: '', min: 0, max } },
    ['min', 'max'],
  );

const ids = (about: string, rules: readonly string[]): Form =>
  mapping(about, { rule: { is: 'choice', about: '', of: rules }, ranges: list('', range(MAX_ID)) }, ['rule']);

const GROUP_RULES = ['RunAsAny', 'MustRunAs', 'MayRunAs'];

/** Every source of a volume that pods know, as policies call it. */
export const VOLUME_TYPES = [
  '*',
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephFS',
  'cinder',
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'glusterfs',
  'hostPath',
  'image',
  'iscsi',
  'nfs',
  'persistentVolumeClaim',
  'photonPersistentDisk',
  'portworxVolume',
  'projected',
  'quobyte',
  'rbd',
  'scaleIO',
  'secret',
  'storageos',
  'vsphereVolume',
];

const PROFILES = 'RuntimeDefault, Unconfined, Unset, Localhost/NAME (with * and ?), or *';

/** What a profile says of pods. What is not stated is as the level has it. */
export const specFields = {
  privileged: flag('Whether containers may be privileged.'),
  allowPrivilegeEscalation: flag('True: may be anything. False: every container must state false.'),
  defaultAllowPrivilegeEscalation: flag('Containers must state allowPrivilegeEscalation; fix writes this.'),
  readOnlyRootFilesystem: flag('True: every container must state true.'),
  requiredDropCapabilities: words('Capabilities that every container must drop, in place of ALL.'),
  allowedCapabilities: words('Capabilities that containers may add, and no other; * is any.'),
  defaultAddCapabilities: words('Capabilities that containers must add or drop; fix adds them.'),
  volumes: {
    is: 'list',
    about: 'Types of volumes that pods may have, and no other.',
    of: { is: 'choice', about: '', of: VOLUME_TYPES },
  },
  allowedHostPaths: list(
    'Folders of the node that volumes may be.',
    mapping(
      '',
      { pathPrefix: text('This folder and all below it.'), readOnly: flag('Only mounted read-only.') },
      ['pathPrefix'],
    ),
  ),
  allowedFlexVolumes: list('Drivers of flexVolumes.', mapping('', { driver: text('') }, ['driver'])),
  allowedCSIDrivers: list('Drivers of inline CSI volumes.', mapping('', { name: text('') }, ['name'])),
  hostNetwork: flag("Whether pods may be in the node's network."),
  hostPID: flag("Whether pods may see the node's processes."),
  hostIPC: flag("Whether pods may share the node's memory."),
  hostPorts: list('Ports of the node that containers may take, and no other.', range(65535)),
  runAsUser: ids('Which users containers run as.', ['RunAsAny', 'MustRunAs', 'MustRunAsNonRoot']),
  runAsGroup: ids('Which groups containers run as.', GROUP_RULES),
  supplementalGroups: ids('Which further groups pods are in.', GROUP_RULES),
  fsGroup: ids('Which groups volumes are given to.', GROUP_RULES),
  seLinux: mapping(
    'MustRunAs: exactly these options. MayRunAs: none, or one of the lists. Without a rule the level keeps its say.',
    {
      rule: { is: 'choice', about: '', of: ['RunAsAny', 'MustRunAs', 'MayRunAs'] },
      seLinuxOptions: mapping('', { user: text(''), role: text(''), type: text(''), level: text('') }),
      types: words("Types that may be stated; the level's where absent."),
      users: words('Users that may be stated; none where absent.'),
      roles: words('Roles that may be stated; none where absent.'),
      levels: words('Levels that may be stated; any where absent.'),
      forbiddenAccess: words(
        'What the profile of no container may allow beyond container_t, judged by its content: shadow_t:file:read, @self:process:ptrace.',
        true,
      ),
      files: files('a SelinuxProfile, a RawSelinuxProfile, or CIL', 'as seLinuxOptions.type'),
    },
  ),
  allowedUnsafeSysctls: words(
    'Kernel parameters beside those that the level allows; a * at the end is any rest.',
  ),
  forbiddenSysctls: words('Kernel parameters that nobody may set, even safe ones.'),
  allowedProcMountTypes: {
    is: 'list',
    about: 'How /proc may be mounted.',
    filled: true,
    of: { is: 'choice', about: '', of: ['Default', 'Unmasked'] },
  },
  runtimeClass: mapping('Which runtime classes pods may name.', {
    allowedRuntimeClassNames: words('A pod without one is always allowed; * is any.'),
    defaultRuntimeClassName: text('Pods must name one; fix writes this.'),
  }),
  seccomp: mapping('Seccomp profiles as they take effect in each container.', {
    allowed: words(PROFILES, true),
    forbiddenCalls: words(
      'System calls that the profile of no container may let through, judged by its content.',
      true,
    ),
    files: files('the JSON that the nodes have'),
  }),
  appArmor: mapping('AppArmor profiles as they take effect in each container.', {
    allowed: words(PROFILES, true),
    forbiddenAccess: words(
      'What the profile of no container may allow, judged by its content: /etc/shadow:r, capability:sys_admin.',
      true,
    ),
    files: files('the profile as apparmor_parser reads it'),
  }),
  userNamespaces: {
    is: 'choice',
    about: 'required: hostUsers must be false. forbidden: it must not be.',
    of: ['required', 'forbidden'],
  },
  windows: mapping('Options of Windows pods.', {
    hostProcess: flag('Whether containers may be processes of the host.'),
    allowedUserNames: words('Users that runAsUserName may name.'),
    allowedCredentialSpecs: words('Names of GMSA credential specs.'),
  }),
} as const satisfies Readonly<Record<string, Form>>;

export type FieldName = keyof typeof specFields;

export const profileForm: Form = {
  is: 'mapping',
  about: 'A pod security profile of your own.',
  required: ['name', 'reason', 'extends'],
  fields: {
    name: {
      is: 'text',
      about: 'What reports and the exported policy call it.',
      pattern: /^[a-z0-9](?:[-a-z0-9]{0,51}[a-z0-9])?$/,
      like: 'lower case letters, digits and -, at most 53',
    },
    reason: text('Why these pods are judged by it.'),
    owner: text('A person or team: @platform.'),
    extends: {
      is: 'choice',
      about: 'The level of the Pod Security Standards that holds where the profile says nothing.',
      of: ['privileged', 'baseline', 'restricted'],
    },
    version: {
      is: 'text',
      about: 'Of the standards.',
      pattern: /^(?:latest|v1\.(?:0|[1-9][0-9]{0,3}))$/,
      like: 'latest, or like v1.34',
    },
    scope: mapping('Whose pods: all that is stated must fit. All pods where absent.', {
      namespaces: words('Names; * and ? stand for any letters.', true),
      namespaceLabels: { is: 'labels', about: 'Labels that the namespace has.' },
      labels: { is: 'labels', about: 'Labels that the pod has.' },
      serviceAccounts: words('Names; * and ? stand for any letters.', true),
    }),
    spec: mapping('In place of what the level says of the same field.', specFields),
  },
};

/** Lists and mappings that are longer are nobody's work. */
const MOST_ITEMS = 1000;

/**
 * The value as the form has it.
 *
 * @throws ProfileError where it is otherwise
 */
export function readForm(form: Form, value: unknown, path: Path): unknown {
  switch (form.is) {
    case 'flag':
      if (typeof value !== 'boolean') throw wrong(path, 'true or false');
      return value;
    case 'text':
      if (typeof value !== 'string') throw wrong(path, 'a text');
      if (value.trim() === '') throw new ProfileError(path, `${last(path)} says nothing`);
      if (form.pattern?.test(value) === false)
        throw new ProfileError(path, `"${value}" is no ${last(path)}`, `write ${form.like}`);
      return value;
    case 'choice':
      if (typeof value === 'string' && form.of.includes(value)) return value;
      throw new ProfileError(
        path,
        `"${String(value)}" is none of ${form.of.join(', ')}`,
        meant(value, form.of),
      );
    case 'number':
      if (typeof value !== 'number' || !Number.isInteger(value) || value < form.min || value > form.max)
        throw wrong(path, `a whole number from ${form.min} to ${form.max}`);
      return value;
    case 'list':
      if (!Array.isArray(value)) throw wrong(path, 'a list');
      if (value.length > MOST_ITEMS) throw new ProfileError(path, `more than ${MOST_ITEMS} items`);
      if (form.filled === true && value.length === 0)
        throw new ProfileError(path, `${last(path)} is empty, so no pod could keep it`);
      return value.map((one: unknown, i) => readForm(form.of, one, [...path, i]));
    case 'labels':
      if (!isRecord(value))
        throw wrong(path, form.ofFiles === true ? 'a mapping of names to files' : 'a mapping of labels');
      if (Object.keys(value).length > MOST_ITEMS)
        throw new ProfileError(path, `more than ${MOST_ITEMS} items`);
      for (const [key, one] of Object.entries(value))
        if (typeof one !== 'string')
          throw wrong([...path, key], form.ofFiles === true ? 'the path of a file' : 'a text in quotes');
      return value;
    case 'mapping':
      return readMapping(form.fields, form.required ?? [], value, path);
  }
}

function readMapping(
  fields: Readonly<Record<string, Form>>,
  required: readonly string[],
  value: unknown,
  path: Path,
): unknown {
  if (!isRecord(value)) throw wrong(path, `a mapping of ${Object.keys(fields).slice(0, 6).join(', ')}`);
  const known = Object.keys(fields);
  const result: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(value)) {
    if (!Object.hasOwn(fields, key))
      throw new ProfileError([...path, key], `unknown key "${key}"`, meant(key, known));
    result[key] = readForm(fields[key]!, one, [...path, key]);
  }
  for (const key of required)
    if (result[key] === undefined)
      throw new ProfileError(path, `${last(path) || 'the profile'} states no ${key}`);
  return result;
}

function last(path: Path): string {
  const word = path.findLast(step => typeof step === 'string');
  return word === undefined || word === 'podSecurityProfiles' ? 'the profile' : String(word);
}

function wrong(path: Path, expected: string): ProfileError {
  return new ProfileError(path, `${last(path)} is not ${expected}`);
}

function meant(value: unknown, known: readonly string[]): string | undefined {
  const word = nearest(String(value), known);
  return word === undefined ? undefined : `did you mean "${word}"?`;
}
