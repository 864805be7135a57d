import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { APPARMOR_ANNOTATION, type Pod, type Profile } from '#kube/pods.ts';
import { refusedAnnotations, statedAppArmor } from './apparmor-effective.ts';

const local = (localhostProfile: string): Profile => ({ type: 'Localhost', localhostProfile });
const DEFAULT: Profile = { type: 'RuntimeDefault' };

function podOf(own: Profile | undefined, annotation: string | undefined, ofPod: Profile | undefined): Pod {
  return {
    metadata: annotation === undefined ? {} : { annotations: { [`${APPARMOR_ANNOTATION}a`]: annotation } },
    spec: {
      containers: [
        { name: 'a', ...(own === undefined ? {} : { securityContext: { appArmorProfile: own } }) },
      ],
      ...(ofPod === undefined ? {} : { securityContext: { appArmorProfile: ofPod } }),
    },
  } as unknown as Pod;
}

describe('the profile of AppArmor that takes effect', () => {
  for (const [what, own, annotation, ofPod, now, before] of [
    ['nothing is stated', undefined, undefined, undefined, undefined, undefined],
    [
      'the container comes first',
      local('own'),
      'localhost/old',
      local('pod'),
      'container own',
      'annotation old',
    ],
    [
      'an annotation comes before the pod',
      undefined,
      'localhost/old',
      local('pod'),
      'annotation old',
      'annotation old',
    ],
    ['one that is none does not', undefined, 'localhost/', local('pod'), 'pod pod', undefined],
    ['neither does an empty one', undefined, '', local('pod'), 'pod pod', undefined],
    ['the pod comes last', undefined, undefined, local('pod'), 'pod pod', undefined],
  ] as const)
    it(what, () => {
      const pod = podOf(own, annotation, ofPod);
      const said = (minor: number) => {
        const stated = statedAppArmor(pod, pod.spec.containers![0]!, ['spec', 'containers', 0], minor);
        return stated === undefined ? undefined : `${stated.from} ${stated.profile.localhostProfile}`;
      };
      assert.equal(said(37), now);
      assert.equal(said(29), before);
    });
});

describe('annotations of AppArmor that the API server refuses', () => {
  const refused = (pod: Pod, minor = 37) => {
    const containers = new Map(
      pod.spec.containers!.map(container => [
        container.name!,
        { container, path: ['spec', 'containers', 0] },
      ]),
    );
    return refusedAnnotations(pod, containers, minor).map(({ text }) => text);
  };

  it('agree with the field, or are refused since there are fields', () => {
    assert.deepEqual(refused(podOf(local('web'), 'localhost/web', undefined)), []);
    assert.deepEqual(refused(podOf(DEFAULT, 'runtime/default', local('x'))), []);
    assert.match(refused(podOf(local('web'), 'localhost/other', undefined))[0]!, /both must say the same/);
    assert.match(refused(podOf(DEFAULT, '', undefined))[0]!, /says nothing/);
    assert.deepEqual(refused(podOf(DEFAULT, 'unconfined', undefined), 29), []);
    // What the annotation says becomes the container's field.
    assert.deepEqual(refused(podOf(undefined, 'unconfined', DEFAULT)), []);
    assert.match(refused(podOf(undefined, '', DEFAULT))[0]!, /both must say the same/);
  });

  it('are words that nobody knows', () =>
    assert.match(
      refused(podOf(undefined, 'docker-default', undefined), 24)[0]!,
      /"docker-default" is no profile/,
    ));
});
