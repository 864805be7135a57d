/** How judging gathers what checks say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineCheck } from '#check/check.ts';
import { fail, pass, unknown } from '#check/verdict.ts';
import { checks } from '#practices/index.ts';
import { worldOf } from '#test/worlds.ts';
import { asSelected, scan } from './scan.ts';

const byName = (name: string) => asSelected(checks.find(check => check.name === name)!);
const messages = (yaml: string, name: string) =>
  scan(worldOf(yaml), [byName(name)]).findings.map(
    ({ message, occurrences }) => `${message} @${occurrences.length}`,
  );

const example = {
  practice: 'cicd',
  name: 'example',
  title: 'An example',
  severity: 'low',
  since: '0.0.0',
  profiles: [],
  frameworks: [],
  why: 'Because.',
  remediation: 'Do.',
  examples: { bad: [], good: [] },
} as const;

const POD =
  'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers: [{ name: x, image: i }, { name: z, image: i }]\n';

describe('judging', () => {
  it('joins containers of which the same is said', () => {
    assert.deepEqual(messages(POD, 'writable-root-filesystem'), [
      'containers "x", "z": readOnlyRootFilesystem is not set, which means false @2',
    ]);
  });

  it('tells containers apart of which different things are said', () => {
    const yaml = POD.replace(
      '{ name: z, image: i }',
      '{ name: z, image: i, securityContext: { readOnlyRootFilesystem: false } }',
    );
    assert.deepEqual(messages(yaml, 'writable-root-filesystem'), [
      'container "x": readOnlyRootFilesystem is not set, which means false; container "z": readOnlyRootFilesystem is false @2',
    ]);
  });

  it('counts only what a fragment of a pod states', () => {
    const task =
      'apiVersion: tekton.dev/v1\nkind: Task\nmetadata: { name: t }\nspec:\n  steps:\n  - { name: a, image: i, securityContext: { privileged: true } }\n';
    assert.deepEqual(messages(task, 'writable-root-filesystem'), []);
    assert.equal(messages(task, 'privileged').length, 1);
  });

  it('leaves a pod to its controller, where that is in the input', () => {
    const owned = `${POD.replace('{ name: a }', '{ name: a, ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: r, uid: "1", controller: true }] }')}---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata: { name: r }\nspec: { template: { spec: { hostPID: true, containers: [] } } }\n`;
    assert.equal(messages(owned, 'writable-root-filesystem').length, 0);
    assert.equal(messages(owned, 'host-namespaces').length, 1);
  });

  it('does not nag about containers that a mesh put in', () => {
    const meshed = POD.replace(
      '{ name: a }',
      '{ name: a, annotations: { sidecar.istio.io/status: "{}" } }',
    ).replace('name: z', 'name: istio-proxy');
    assert.deepEqual(messages(meshed, 'writable-root-filesystem'), [
      'container "x": readOnlyRootFilesystem is not set, which means false @1',
    ]);
  });

  it('leaves what a mesh is to fill in to the mesh', () => {
    const named = (name: string) =>
      messages(POD.replace('name: z, image: i', `name: ${name}, image: auto`), 'image-tag');
    assert.deepEqual(named('istio-proxy'), ['container "x": image "i" has no tag, which means latest @1']);
    assert.equal(named('z')[0]?.includes('"auto"'), true);
  });

  it('makes a check that throws an unknown, and goes on', () => {
    const broken = defineCheck({
      ...example,
      subject: 'object',
      evaluate: () => {
        throw new Error('oh');
      },
      message: () => '',
    });
    const { findings, unknowns } = scan(worldOf(POD), [
      asSelected(broken),
      byName('writable-root-filesystem'),
    ]);
    assert.equal(findings.length, 1);
    assert.deepEqual(
      unknowns.map(({ check, reason }) => `${check}: ${reason}`),
      ['cicd/example: the check failed: oh'],
    );
  });

  it('keeps the worst severity of several', () => {
    const graded = defineCheck({
      ...example,
      subject: 'container',
      evaluate: ({ name }) => fail(name),
      severityOf: name => (name === 'z' ? 'critical' : 'info'),
      message: () => 'm',
    });
    assert.equal(scan(worldOf(POD), [asSelected(graded)]).findings[0]!.severity, 'critical');
  });

  it('offers no fix that would mend only a part', () => {
    const half = defineCheck({
      ...example,
      subject: 'container',
      evaluate: ({ name }) => fail(name),
      message: () => 'm',
      fix: {
        title: 't',
        kind: 'safe',
        changes: name => (name === 'x' ? [{ op: 'set', path: ['a'], value: 1 }] : []),
      },
    });
    assert.equal(scan(worldOf(POD), [asSelected(half)]).findings[0]!.fix, undefined);
  });

  it('gives the same object declared twice different fingerprints', () => {
    const { findings } = scan(worldOf(`${POD}---\n${POD}`), [byName('writable-root-filesystem')]);
    assert.equal(new Set(findings.map(({ fingerprint }) => fingerprint)).size, 2);
  });

  it('says what is unknown, with its place', () => {
    const check = defineCheck({
      ...example,
      subject: 'container',
      evaluate: ({ name }) => (name === 'z' ? unknown('who knows') : pass),
      message: () => '',
    });
    const [gap] = scan(worldOf(POD), [asSelected(check)]).unknowns;
    assert.deepEqual([gap!.line, gap!.reason, gap!.check], [5, 'who knows', 'cicd/example']);
  });

  it('never changes the input', () => {
    const world = worldOf(
      checks
        .flatMap(({ examples }) => examples.bad)
        .join('\n---\n')
        .replace(/^ {6}/gm, ''),
    );
    const before = structuredClone(world.declared.map(({ object }) => object));
    scan(world, checks.map(asSelected));
    assert.deepEqual(
      world.declared.map(({ object }) => object),
      before,
    );
  });
});
