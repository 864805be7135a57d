/** What a comment in a template stands at, told from lines: never more than its block. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { templateComments } from './template-comments.ts';

/** The lines that the only comment covers, without their indentation; a template marks it with `#!`. */
function covered(template: string): readonly string[] | undefined {
  const text = template.replace('#!', '# sallyport: allow x -- y (owner @z)');
  const [comment, ...more] = templateComments('t.yaml', text);
  assert.equal(more.length, 0);
  if (comment?.lines === undefined) return undefined;
  const [from, to] = comment.lines;
  return text
    .split('\n')
    .slice(from - 1, to)
    .map(line => line.trim());
}

describe('a comment in a template', () => {
  const cases: readonly (readonly [what: string, template: string, expected: readonly string[]])[] = [
    [
      'on a line: that line',
      'a:\n  b: 1\n  c: 2 #!\n  d: 3\n',
      ['c: 2 # sallyport: allow x -- y (owner @z)'],
    ],
    [
      'above a key: the key and what is below it',
      'a:\n  #!\n  b:\n    c: 1\n\n    d: 2\n  e: 3\n',
      ['b:', 'c: 1', '', 'd: 2'],
    ],
    [
      'above an item: the item',
      'spec:\n  containers:\n    #!\n    - name: one\n      image: x\n{{- if .Values.more }}\n    - name: two\n{{- end }}\n',
      ['- name: one', 'image: x'],
    ],
    [
      'above a key whose list stands as deep as it: the list too',
      'spec:\n  #!\n  containers:\n  - name: one\n    image: x\n  volumes: []\n',
      ['containers:', '- name: one', 'image: x'],
    ],
    [
      'above an action that prints nothing: what comes next',
      '  #!\n  {{- with .Values.x }}\n  a: 1\n  {{- end }}\n  b: 2\n',
      ['a: 1'],
    ],
    [
      'before an action that prints: that line',
      '  #!\n  {{- toYaml .Values.x | nindent 2 }}\n  b: 2\n',
      ['{{- toYaml .Values.x | nindent 2 }}'],
    ],
    [
      'with an action at the margin inside of its block: the block to its end',
      '  #!\n  a:\n    b: 1\n{{- if .Values.c }}\n    c: 2\n{{- end }}\n  d: 3\n',
      ['a:', 'b: 1', '{{- if .Values.c }}', 'c: 2'],
    ],
    [
      'above the first line: the document, and not the next',
      '#!\napiVersion: v1\nkind: Pod\nspec:\n  a: 1\n---\nkind: Other\n',
      ['apiVersion: v1', 'kind: Pod', 'spec:', 'a: 1'],
    ],
    [
      'on the metadata of a pod template: the template',
      'spec:\n  template:\n    metadata: #!\n      labels: {}\n    spec:\n      a: 1\n  other: 1\n',
      ['template:', 'metadata: # sallyport: allow x -- y (owner @z)', 'labels: {}', 'spec:', 'a: 1'],
    ],
    [
      "below the object's metadata: the object",
      'kind: Pod\nmetadata:\n  #!\n  name: x\nspec:\n  a: 1\n---\nkind: Other\n',
      ['kind: Pod', 'metadata:', '# sallyport: allow x -- y (owner @z)', 'name: x', 'spec:', 'a: 1'],
    ],
    [
      "in the template's own form of a comment",
      '{{- /* sallyport: allow x -- y (owner @z) */}}\na:\n  b: 1\n',
      ['a:', 'b: 1'],
    ],
  ];
  for (const [what, template, expected] of cases)
    it(what, () => assert.deepEqual(covered(template), expected));

  it('stands at nothing at the end of a document, and before the next', () => {
    assert.equal(covered('a: 1\n#!\n'), undefined);
    assert.equal(covered('a: 1\n#!\n---\nb: 1\n'), undefined);
  });

  it('in a text of the document says nothing', () => {
    assert.deepEqual(
      templateComments(
        't.yaml',
        'data:\n  x: |-\n    # sallyport: allow x -- y (owner @z)\n    a: 1\n  y: 1\n',
      ),
      [],
    );
  });

  it('that is hostile costs no time', () => {
    const before = performance.now();
    templateComments(
      't.yaml',
      `${'{{- if '.repeat(5000)}\n${' '.repeat(20_000)}#\n# sallyport: x\n${'{{ end }}'.repeat(5000)}a\n`,
    );
    assert.ok(performance.now() - before < 2_000);
  });
});
