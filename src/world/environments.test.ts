import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { type Apart, apartOf, companionsOf, hiddenFrom } from './environments.ts';
import { type Declared, identityOf, World } from './world.ts';

const origin = {
  file: 'a.yaml',
  line: 1,
  document: 0,
  positionOf: () => ({ file: 'a.yaml', line: 1, column: 1, endLine: 1, endColumn: 2 }),
};

function object(kind: string, name: string, more: object = {}): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'shop' }, ...more } as KubeObject;
}

function declared(one: KubeObject, environments?: readonly string[], apart?: Apart): Declared {
  return {
    object: one,
    origin,
    ...(environments === undefined ? {} : { environments }),
    ...(apart === undefined ? {} : { apart }),
  };
}

const apart = (...names: string[]): Apart =>
  new Map(names.map(name => [name, new Set(names.filter(other => other !== name))]));

describe('environments of one source', () => {
  const one = object('Pod', 'web');
  const other = object('Pod', 'db');

  it('exclude each other', () => {
    const made = apartOf([{ environment: 'dev' }, { environment: 'prod' }], [], identityOf);
    assert.deepEqual(
      [...made],
      [
        ['dev', new Set(['prod'])],
        ['prod', new Set(['dev'])],
      ],
    );
  });

  it('stand beside each other in one cluster if they have no object in common', () => {
    const applied = (dev: string, prod: string) => [
      { environment: 'dev', cluster: dev },
      { environment: 'prod', cluster: prod },
    ];
    const differing = [declared(one, ['dev']), declared(other, ['prod'])];
    assert.equal(apartOf(applied('x', 'x'), differing, identityOf).size, 0);
    assert.equal(apartOf(applied('x', 'y'), differing, identityOf).size, 2);
    const same = [declared(one, ['dev']), declared({ ...one, spec: {} }, ['prod'])];
    assert.equal(apartOf(applied('x', 'x'), same, identityOf).size, 2);
  });

  it('of sources that are not one do not', () => {
    const made = apartOf([{ environment: 'a/dev' }, { environment: 'b/prod' }], [], identityOf, () => false);
    assert.equal(made.size, 0);
  });
});

describe('environments of two sources', () => {
  it('go together by their names, and with plain values where none is meant', () => {
    assert.deepEqual(companionsOf('overlays/prod', ['default values', 'dev', 'prod']), ['prod']);
    assert.deepEqual(companionsOf('web/overlays/dev', ['db/overlays/dev', 'db/overlays/prod']), [
      'db/overlays/dev',
    ]);
    assert.deepEqual(companionsOf('prod-eu', ['prod-eu', 'prod-us', 'dev']), ['prod-eu']);
    assert.deepEqual(companionsOf('test', ['default values', 'dev', 'prod']), ['default values']);
    assert.deepEqual(companionsOf('test', ['dev', 'prod']), ['dev', 'prod']);
  });
});

describe('what an environment sees', () => {
  const mine = apart('dev', 'prod');
  const others = apart('default values', 'prod');
  const of = (name: string, environments?: readonly string[], from?: Apart) =>
    declared(object('ConfigMap', name), environments, from);

  it('is its own, what is common, and what goes with it of other sources', () => {
    const isHidden = hiddenFrom('dev', mine);
    const shown = [
      of('common'),
      of('own', ['dev'], mine),
      of('both', ['dev', 'prod'], mine),
      of('prods', ['prod'], mine),
      of('plain of the chart', ['default values'], others),
      of('prod of the chart', ['prod'], others),
      of('alone', ['anything']),
    ].filter(one => !isHidden(one));
    assert.deepEqual(
      shown.map(one => one.object.metadata?.name),
      ['common', 'own', 'both', 'plain of the chart', 'alone'],
    );
  });

  const account = (environment: string | undefined, note: string) =>
    declared(
      object('ServiceAccount', 'web', { note }),
      environment === undefined ? undefined : [environment],
      environment === undefined ? undefined : mine,
    );
  const pod = (environments: readonly string[]) => declared(object('Pod', 'web'), environments, mine);
  const worldOf = (...all: Declared[]) => new World({ declared: all, kubernetesMinor: 37 });
  const noteOf = (world: World) => world.find('/ServiceAccount', 'shop', 'web')?.['note'];

  it('is found before what is common, and never what another environment makes', () => {
    const dev = pod(['dev']);
    const prod = pod(['prod']);
    const world = worldOf(dev, prod, account('dev', 'of dev'), account(undefined, 'common'));
    const notes = (one: Declared) => world.viewsOf(one).map(view => noteOf(view.world));
    assert.deepEqual([notes(dev), notes(prod)], [['of dev'], ['common']]);
    assert.deepEqual(
      world
        .viewsOf(prod)[0]!
        .world.ofKind('/ServiceAccount')
        .map(one => one.object['note']),
      ['common'],
    );
    const alone = worldOf(dev, prod, account('prod', 'of prod'));
    assert.equal(noteOf(alone.viewsOf(dev)[0]!.world), undefined);
    assert.deepEqual([...alone.viewsOf(dev)[0]!.world.kinds()], ['/Pod']);
  });

  it('is one view where all environments of an object see the same', () => {
    const both = pod(['dev', 'prod']);
    const same = worldOf(both, account(undefined, 'common'));
    assert.deepEqual(
      same.viewsOf(both).map(({ environments, hidden }) => [environments, hidden.size]),
      [[undefined, 0]],
    );
    const differing = worldOf(both, account('prod', 'of prod'));
    assert.deepEqual(
      differing.viewsOf(both).map(({ environments, world }) => [environments, noteOf(world)]),
      [
        [['dev'], undefined],
        [['prod'], 'of prod'],
      ],
    );
  });

  it('is the world itself where there are no environments', () => {
    const plain = declared(object('Pod', 'web'));
    const world = worldOf(plain);
    assert.equal(world.viewsOf(plain)[0]!.world, world);
  });
});
