/** Controls on the user that containers run as. */
import type { Pod } from '#kube/pods.ts';
import { type Breach, type Control, containersOf, hasUserNamespace, named, setters } from './check.ts';

const NON_ROOT = ['securityContext', 'runAsNonRoot'];
const USER = ['securityContext', 'runAsUser'];

function maybeRoot(pod: Pod): Breach | undefined {
  const ofPod = pod.spec.securityContext?.runAsNonRoot;
  const containers = containersOf(pod);
  const explicit = containers.filter(({ container }) => container.securityContext?.runAsNonRoot === false);
  const reason = 'runAsNonRoot != true';
  if (ofPod === false || explicit.length > 0)
    return {
      reason,
      detail: `${setters(
        ofPod === false,
        explicit.map(({ name }) => name),
      )} must not set securityContext.runAsNonRoot=false`,
      violations: [
        ...(ofPod === false ? [{ path: ['spec', ...NON_ROOT], value: false }] : []),
        ...explicit.map(({ path, name }) => ({
          path: [...path, ...NON_ROOT],
          value: false,
          container: name,
        })),
      ],
    };
  if (ofPod === true) return undefined;
  const implicit = containers.filter(
    ({ container }) => container.securityContext?.runAsNonRoot === undefined,
  );
  if (implicit.length === 0) return undefined;
  return {
    reason,
    detail: `pod or ${named(implicit.map(({ name }) => name))} must set securityContext.runAsNonRoot=true`,
    violations: implicit.map(({ path, name }) => ({
      path: [...path, ...NON_ROOT],
      value: undefined,
      container: name,
    })),
  };
}

/** Source: policy/check_runAsNonRoot.go. */
export const runAsNonRoot: Control = {
  id: 'runAsNonRoot',
  level: 'restricted',
  revisions: [
    { since: 0, breach: maybeRoot },
    { since: 35, breach: pod => (hasUserNamespace(pod) ? undefined : maybeRoot(pod)) },
  ],
};

function rootUser(pod: Pod): Breach | undefined {
  const ofPod = pod.spec.securityContext?.runAsUser === 0;
  const bad = containersOf(pod).filter(({ container }) => container.securityContext?.runAsUser === 0);
  if (!ofPod && bad.length === 0) return undefined;
  return {
    reason: 'runAsUser=0',
    detail: `${setters(
      ofPod,
      bad.map(({ name }) => name),
    )} must not set runAsUser=0`,
    violations: [
      ...(ofPod ? [{ path: ['spec', ...USER], value: 0 }] : []),
      ...bad.map(({ path, name }) => ({ path: [...path, ...USER], value: 0, container: name })),
    ],
  };
}

/** Source: policy/check_runAsUser.go. */
export const runAsUser: Control = {
  id: 'runAsUser',
  level: 'restricted',
  revisions: [
    { since: 23, breach: rootUser },
    { since: 35, breach: pod => (hasUserNamespace(pod) ? undefined : rootUser(pod)) },
  ],
};
