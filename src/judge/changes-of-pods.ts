/** What a change does to workloads: level, images, identity, and what they hold in their hands. */
import type { SecurityChange } from '#check/comparison.ts';
import { policyOf } from '#decide/pod-security/admission.ts';
import { evaluateDecoded, parseVersion } from '#decide/pod-security/evaluate.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import type { Level } from '#decide/pod-security/standards/registry.ts';
import { accountOf, mountsToken } from '#kube/accounts.ts';
import { parseImage } from '#kube/images.ts';
import type { KubeObject, Path } from '#kube/objects.ts';
import type { ContainerSubject, PodSubject } from '#world/subjects.ts';
import { type Declared, metadataOf, namespaceOf, type World } from '#world/world.ts';
import { changeOf, type Pair, type Pairs } from './sides.ts';

const RANK: Readonly<Record<Level, number>> = { privileged: 0, baseline: 1, restricted: 2 };

export function podChanges(base: World, head: World, { changed, added }: Pairs): SecurityChange[] {
  const found: SecurityChange[] = [];
  for (const pair of changed) {
    if (pair.head.object.kind === 'Namespace') found.push(...namespaceChanges(pair));
    const [before, after] = [wholePods(base, pair.base.object), wholePods(head, pair.head.object)];
    if (after.length === 0 || before.length === 0) continue;
    found.push(...levelChanges(pair, before, after));
    for (const [i, now] of after.entries()) {
      const old = before[i];
      if (old === undefined) continue;
      found.push(...imageChanges(pair, old, now), ...identityChanges(base, head, pair, old, now));
      found.push(...accessChanges(pair, old, now));
    }
  }
  for (const pair of added) {
    const [pod] = wholePods(head, pair.head.object);
    if (pod !== undefined) found.push(...newWorkload(pair, pod));
  }
  return found;
}

function wholePods(world: World, object: KubeObject): readonly PodSubject[] {
  return podsOf(world, object).pods.filter(({ partial }) => !partial);
}

function levelOfPods(pods: readonly PodSubject[]): Level {
  const minor = parseVersion('latest');
  const meets = (level: Level) =>
    pods.every(({ metadata, spec }) => evaluateDecoded({ metadata, spec }, level, minor).allowed);
  return meets('restricted') ? 'restricted' : meets('baseline') ? 'baseline' : 'privileged';
}

function levelChanges(
  pair: Pair,
  before: readonly PodSubject[],
  after: readonly PodSubject[],
): SecurityChange[] {
  const [was, is] = [levelOfPods(before), levelOfPods(after)];
  if (was === is) return [];
  const worse = RANK[is] < RANK[was];
  return [
    changeOf('pod-security/lowered-level', pair, `meets ${is}, and met ${was}`, {
      direction: worse ? 'worse' : 'better',
      severity: is === 'privileged' ? 'high' : 'medium',
    }),
  ];
}

function newWorkload(pair: Pair, pod: PodSubject): SecurityChange[] {
  const level = levelOfPods([pod]);
  const images = pod.containers.flatMap(({ container }) => container.image ?? []);
  const held = [...heldBy(pod).keys()];
  const has = held.length === 0 ? '' : `, has ${held.join(', ')}`;
  const text = `new: meets ${level}, runs ${images.join(', ')} as service account "${accountOf(pod.spec)}"${has}`;
  return [
    changeOf('pod-security/lowered-level', pair, text, {
      direction: 'neutral',
      severity: 'info',
    }),
  ];
}

const MODES = ['enforce', 'audit', 'warn'] as const;
const PREFIX = 'pod-security.kubernetes.io/';

function namespaceChanges(
  pair: Pair & { readonly base: { object: KubeObject }; readonly head: { object: KubeObject } },
): SecurityChange[] {
  const labels = ({ object }: { object: KubeObject }) => metadataOf(object.metadata).labels;
  const [was, is] = [policyOf(labels(pair.base)).policy, policyOf(labels(pair.head)).policy];
  return MODES.flatMap(mode => {
    const [before, after] = [was[mode], is[mode]];
    if (before.level === after.level && before.version === after.version) return [];
    const worse = RANK[after.level] < RANK[before.level];
    const same = before.level === after.level;
    const text = `${mode}s ${after.level}:${after.version}, before ${before.level}:${before.version}`;
    return [
      changeOf(mode === 'enforce' ? 'cicd/weakened-guard' : 'pod-security/lowered-level', pair, text, {
        direction: same ? 'neutral' : worse ? 'worse' : 'better',
        severity: mode === 'enforce' ? 'high' : 'low',
        path: ['metadata', 'labels', `${PREFIX}${mode}`],
      }),
    ];
  });
}

function containersByName(pod: PodSubject): Map<string, ContainerSubject> {
  return new Map(pod.containers.map(one => [`${one.role} ${one.name}`, one]));
}

function imageChanges(pair: Pair, before: PodSubject, after: PodSubject): SecurityChange[] {
  const found: SecurityChange[] = [];
  const old = containersByName(before);
  for (const [key, one] of containersByName(after)) {
    const path = after.pathOf([...one.path, 'image']);
    const image = one.container.image ?? '';
    const was = old.get(key)?.container.image;
    if (was === image) continue;
    if (was === undefined) {
      const text = `new container "${one.name}" runs ${image}`;
      found.push(
        changeOf('cicd/changed-image', pair, text, { direction: 'neutral', severity: 'info', path }),
      );
      continue;
    }
    const { direction, why } = imageDirection(was, image);
    found.push(
      changeOf('cicd/changed-image', pair, `container "${one.name}" runs ${image}, before ${was}${why}`, {
        direction,
        path,
      }),
    );
  }
  return found;
}

/** From elsewhere, or no longer the same for certain, is worse; another version is what changes are made for. */
function imageDirection(
  was: string,
  is: string,
): { readonly direction: SecurityChange['direction']; readonly why: string } {
  const [before, after] = [parseImage(was), parseImage(is)];
  if (before === undefined || after === undefined) return { direction: 'neutral', why: '' };
  const worse = (why: string) => ({ direction: 'worse', why: `: ${why}` }) as const;
  if (before.registry !== after.registry) return worse('another registry');
  if (ownerOf(before.repository) !== ownerOf(after.repository)) return worse('another owner');
  if (before.digest !== undefined && after.digest === undefined) return worse('no longer pinned by digest');
  if (after.digest === undefined && isMoving(after.tag) && !isMoving(before.tag))
    return worse('no longer a certain version');
  const better =
    (before.digest === undefined && after.digest !== undefined) ||
    (isMoving(before.tag) && !isMoving(after.tag));
  return { direction: better ? 'better' : 'neutral', why: '' };
}

/** Who publishes: the first part of a repository's name. */
function ownerOf(repository: string): string {
  const slash = repository.indexOf('/');
  return slash < 0 ? '' : repository.slice(0, slash);
}

function isMoving(tag: string | undefined): boolean {
  return tag === undefined || tag === 'latest';
}

function identityChanges(
  base: World,
  head: World,
  pair: Pair,
  before: PodSubject,
  after: PodSubject,
): SecurityChange[] {
  const [was, is] = [accountOf(before.spec), accountOf(after.spec)];
  const path = after.pathOf(['spec', 'serviceAccountName']);
  if (was !== is)
    return [
      changeOf('authorization/new-identity', pair, `runs as service account "${is}", before "${was}"`, {
        direction: is === 'default' ? 'neutral' : 'worse',
        path,
      }),
    ];
  const mounts = (world: World, declared: Declared, pod: PodSubject) =>
    mountsToken(
      pod.spec,
      world
        .viewsOf(declared)[0]!
        .world.find('/ServiceAccount', pod.namespace ?? namespaceOf(pod.object), accountOf(pod.spec))?.[
        'automountServiceAccountToken'
      ],
    );
  const [had, has] = [mounts(base, pair.base!, before), mounts(head, pair.head!, after)];
  if (had === has) return [];
  return [
    changeOf(
      'authorization/new-identity',
      pair,
      `the token of service account "${is}" is ${has ? 'mounted now' : 'mounted no more'}`,
      {
        direction: has ? 'worse' : 'better',
        severity: 'low',
        path: after.pathOf(['spec', 'automountServiceAccountToken']),
      },
    ),
  ];
}

/** What a pod has in its hands, as words, with the place of each. */
function heldBy(pod: PodSubject): Map<string, Path> {
  const held = new Map<string, Path>();
  const hold = (what: string, path: Path) => {
    if (!held.has(what)) held.set(what, pod.pathOf(path));
  };
  for (const [i, volume] of (pod.spec.volumes ?? []).entries()) {
    const path: Path = ['spec', 'volumes', i];
    if (volume.secret?.secretName !== undefined) hold(`secret "${volume.secret.secretName}"`, path);
    if (volume.hostPath?.path !== undefined) hold(`folder ${volume.hostPath.path} of the node`, path);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined) hold(`volume claim "${claim}"`, path);
    for (const source of volume.projected?.sources ?? []) {
      if (source.secret?.name !== undefined) hold(`secret "${source.secret.name}"`, path);
      if (source.serviceAccountToken !== undefined)
        hold(`a token for ${source.serviceAccountToken.audience ?? 'the API server'}`, path);
    }
  }
  for (const { container, path } of pod.containers) {
    for (const [i, variable] of (container.env ?? []).entries()) {
      const name = variable.valueFrom?.secretKeyRef?.name;
      if (name !== undefined) hold(`secret "${name}"`, [...path, 'env', i]);
    }
    for (const [i, source] of (container.envFrom ?? []).entries())
      if (source.secretRef?.name !== undefined)
        hold(`secret "${source.secretRef.name}"`, [...path, 'envFrom', i]);
  }
  for (const [i, { name }] of (pod.spec.imagePullSecrets ?? []).entries())
    if (name !== undefined) hold(`pull secret "${name}"`, ['spec', 'imagePullSecrets', i]);
  return held;
}

function accessChanges(pair: Pair, before: PodSubject, after: PodSubject): SecurityChange[] {
  const [old, now] = [heldBy(before), heldBy(after)];
  const gained = [...now].filter(([what]) => !old.has(what));
  const lost = [...old.keys()].filter(what => !now.has(what));
  return [
    ...gained.map(([what, path]) =>
      changeOf('pod-security/new-access', pair, `has ${what} now`, { direction: 'worse', path }),
    ),
    ...lost.map(what =>
      changeOf('pod-security/new-access', pair, `has ${what} no more`, { direction: 'better' }),
    ),
  ];
}
