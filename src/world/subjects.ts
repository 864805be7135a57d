/** What a check can ask for, by name. A check receives exactly the type its `subject` names. */
import type { KubeObject, ObjectMeta, Path } from '#kube/objects.ts';
import type { Container, PodSpec } from '#kube/pods.ts';

/** An object as it was declared, whatever its kind. */
export interface ObjectSubject {
  readonly object: KubeObject;
}

/** A pod, or the template of one, that the API server would decode. */
export interface PodSubject {
  /** The object that carries it. */
  readonly object: KubeObject;
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
  /** Every container in the order in which the API visits them: init, regular, ephemeral. */
  readonly containers: readonly ContainerSubject[];
  /** A fragment of a pod: a controller makes the rest, so an unset pod-level field says nothing. */
  readonly partial: boolean;
  /** The namespace that it runs in, as the manifest states it; undefined where it states none. */
  readonly namespace: string | undefined;
  /** From a path in the pod (`['spec', 'hostPID']`) to the path in the object. */
  pathOf(pathInPod: Path): Path;
}

export type ContainerRole = 'init' | 'container' | 'ephemeral';

export interface ContainerSubject {
  readonly pod: PodSubject;
  readonly container: Container;
  readonly role: ContainerRole;
  /** An init container that keeps running beside the others (`restartPolicy: Always`). */
  readonly sidecar: boolean;
  /** Put in by a mesh when the pod was created: its team can do nothing about it. */
  readonly injected: boolean;
  /** What reports call it: its name, or its place where it has none. */
  readonly name: string;
  /** Its place in the pod: `['spec', 'containers', 0]`. */
  readonly path: Path;
}

export interface Subjects {
  readonly object: ObjectSubject;
  readonly pod: PodSubject;
  readonly container: ContainerSubject;
}

export type SubjectKind = keyof Subjects;
