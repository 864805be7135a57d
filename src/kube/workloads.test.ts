import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from './objects.ts';
import { placesOfDefinition, podTemplatesOf } from './workloads.ts';

/** What is found, as the places of the containers' names and of a field of the pod. */
const placesOf = (object: object, more?: Parameters<typeof podTemplatesOf>[1]) =>
  podTemplatesOf(object as unknown as KubeObject, more).map(
    ({ pathOf, partial }) => `${pathOf(['spec', 'securityContext']).join('.')}${partial ? ' (partial)' : ''}`,
  );

describe('Strimzi', () => {
  it('has pods without their containers, and containers by name', () => {
    const template = { pod: { securityContext: { runAsUser: 0 } }, kafkaContainer: { env: [] } };
    const kafka = { apiVersion: 'kafka.strimzi.io/v1beta2', kind: 'Kafka', spec: { kafka: { template } } };
    const [pod, container, ...others] = podTemplatesOf(kafka as unknown as KubeObject);
    assert.deepEqual(others, []);
    assert.deepEqual(pod?.pod.spec['securityContext'], { runAsUser: 0 });
    assert.deepEqual(placesOf(kafka)[0], 'spec.kafka.template.pod.securityContext (partial)');
    assert.deepEqual(
      pod?.pathOf(['metadata', 'labels']).join('.'),
      'spec.kafka.template.pod.metadata.labels',
    );
    assert.equal(
      container?.pathOf(['spec', 'containers', 0, 'securityContext']).join('.'),
      'spec.kafka.template.kafkaContainer.securityContext',
    );
    const pool = { apiVersion: 'kafka.strimzi.io/v1beta2', kind: 'KafkaNodePool', spec: { template } };
    assert.equal(placesOf(pool)[0], 'spec.template.pod.securityContext (partial)');
  });
});

describe('a definition', () => {
  const container = { type: 'array', items: { properties: { name: {}, image: {} } } };
  const definition = (properties: object) =>
    ({
      spec: {
        group: 'example.com',
        names: { kind: 'Widget' },
        versions: [{ schema: { openAPIV3Schema: { properties: { spec: { properties } } } } }],
      },
    }) as unknown as KubeObject;
  const learnt = (properties: object) =>
    placesOfDefinition(definition(properties))?.places.map(({ path }) => path.join('.'));

  it('shows pod templates and pod specs by what they hold', () => {
    const spec = { properties: { containers: container, hostPID: {}, securityContext: {} } };
    assert.deepEqual(learnt({ deep: { properties: { pod: { properties: { metadata: {}, spec } } } } }), [
      'spec.deep.pod',
    ]);
    assert.deepEqual(learnt({ pods: { items: spec } }), ['spec.pods.*']);
  });

  it('shows none by containers alone, nor by pods without images', () => {
    assert.equal(learnt({ scan: { properties: { containers: container } } }), undefined);
    assert.equal(
      learnt({
        scan: {
          properties: { containers: { items: { properties: { name: {} } } }, hostPID: {}, volumes: {} },
        },
      }),
      undefined,
    );
  });
});
