/** Pictures and tables of connections: 300 workloads stay readable, and no name changes what they are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { htmlOf } from './html.ts';
import type { MapEdge, MapWorkload, MeshMap } from './map.ts';
import { svgOf } from './svg.ts';
import { csvOf, dotOf, mermaidOf } from './tables.ts';

/** As many workloads as there are numbers, in namespaces of 25; each calls the next two of its namespace. */
function mapOf(count: number, name: (index: number) => string = index => `app-${index}`): MeshMap {
  const workloads = Array.from({ length: count }, (_, index): MapWorkload => {
    const namespace = name(Math.floor(index / 25) + 1000);
    return {
      id: `${namespace}/Deployment/${name(index)}`,
      namespace,
      kind: 'Deployment',
      name: name(index),
      mesh: index % 2 === 0 ? 'istio' : 'none',
      exposed: index % 50 === 0 ? [`ingress ${name(index)} -> 8080/TCP, no TLS`] : [],
      outside: index % 3 === 0 ? [{ to: 'any address', ports: 'all ports' }] : [],
    };
  });
  const edges = workloads.flatMap(({ id, namespace }, index): MapEdge[] => {
    const targets = [index + 1, index + 2].filter(to => to < count && workloads[to]!.namespace === namespace);
    return targets.map(to => ({
      from: id,
      to: workloads[to]!.id,
      port: '8080/TCP',
      travel: index % 2 === 0 ? 'mtls' : 'plaintext',
      allowed: 'yes',
    }));
  });
  return { workloads, edges, assumptions: [`taken: ${name(0)}`] };
}

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function cardsOf(svg: string): Rect[] {
  const cards = /<g class="w"[^>]*>.*?<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/gs;
  return [...svg.matchAll(cards)].map(([, x, y, width, height]) => ({
    x: Number(x),
    y: Number(y),
    width: Number(width),
    height: Number(height),
  }));
}

describe('names on cards', () => {
  it('differ, also where they begin alike', () => {
    const svg = svgOf(mapOf(300, index => `a-rather-long-beginning-${index}`));
    const words = [...svg.matchAll(/<g class="w".*?<text[^>]*>([^<]*)<\/text>/gs)].map(([, word]) => word);
    assert.equal(new Set(words).size, 300);
  });
});

describe('a map of 300 workloads', () => {
  const svg = svgOf(mapOf(300));
  const cards = cardsOf(svg);
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!.map(Number) as [
    number,
    number,
    number,
  ];

  it('has a card for each, inside the picture and over no other', () => {
    assert.equal(cards.length, 300);
    for (const [index, a] of cards.entries()) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height);
      for (const b of cards.slice(index + 1))
        assert.ok(
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y,
        );
    }
  });

  it('has letters of ten points where the whole is on a screen of 1600 by 800', () => {
    const scale = Math.min(1600 / width, 800 / height);
    const font = Number(/font-size="(\d+)" role/.exec(svg)![1]);
    assert.ok(font * scale >= 10, `${font * scale}`);
  });

  it('is as readable in one namespace, and in many', () => {
    const one = mapOf(300);
    const whole = { ...one, workloads: one.workloads.map(each => ({ ...each, namespace: 'all' })) };
    const apart = { ...one, workloads: one.workloads.map((each, i) => ({ ...each, namespace: `n${i}` })) };
    for (const [map, least] of [
      [whole, 10],
      [apart, 7],
    ] as const) {
      const text = svgOf(map);
      const [, w, h] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(text)!.map(Number) as [number, number, number];
      assert.equal(cardsOf(text).length, 300);
      assert.ok(20 * Math.min(1600 / w, 800 / h) >= least, `${w} ${h}`);
    }
  });

  it('of few workloads leaves room for arrows', () => {
    assert.match(svgOf(mapOf(10)), /font-size="13" role/);
  });
});

describe('hostile names', () => {
  const hostile = [
    '"]; evil [label="x',
    '</title><script>alert(1)</script>',
    '\\',
    '\\"',
    '=HYPERLINK("http://x")',
    '-1+1',
    '@SUM(A1)',
    'a\r\n"b',
    '"] --> x["',
    'end',
    '#quot;',
    '%%{init: {}}%%',
    '&lt;',
    "'",
    ']]>',
    '\u202Eevil',
    '\u0000\u001B[31m',
    '\uD800',
    '```',
    '',
  ];
  const evil = mapOf(hostile.length, index =>
    hostile[index % hostile.length]!.concat(index === 0 ? '' : String(index)),
  );
  const tame = mapOf(hostile.length);

  it('leave DOT as it is, but for quoted texts', () => {
    const bones = (text: string): string => text.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""');
    assert.equal(bones(dotOf(evil)), bones(dotOf(tame)));
  });

  it('leave Mermaid as it is, in texts without anything of its syntax', () => {
    const bones = (text: string): string => text.replaceAll(/"[^"\n]*"/g, '""');
    assert.equal(bones(mermaidOf(evil)), bones(mermaidOf(tame)));
    for (const [quoted] of mermaidOf(evil).matchAll(/"[^"\n]*"/g))
      assert.match(quoted, /^"(?:[\w ./:,*-]|#\d+;)*"$/);
  });

  it('leave SVG and HTML with the same elements, and nothing that acts', () => {
    const bones = (text: string): string[] =>
      [...text.matchAll(/<\/?([a-z]+)((?:\s[^<>"]*|"[^"<]*")*)\/?>/g)].map(([all, tag]) =>
        all.startsWith('</') ? `/${tag}` : tag!,
      );
    for (const write of [svgOf, htmlOf]) {
      assert.deepEqual(bones(write(evil)), bones(write(tame)));
      assert.equal(write(evil).match(/<script/g)?.length ?? 0, write === htmlOf ? 1 : 0);
    }
    // Characters that XML has no place for make the whole unreadable.
    assert.doesNotMatch(svgOf(evil), /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/u);
    assert.doesNotMatch(svgOf(evil), /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/i);
  });

  it('leave CSV with five cells a row, and none a formula', () => {
    const text = csvOf(evil);
    const rows = [...text.matchAll(/((?:"(?:[^"]|"")*"(?:,|\r\n))+?)(?<=\r\n)/g)].map(([row]) => row);
    assert.equal(rows.join(''), text);
    for (const row of rows) {
      const cells = [...row.matchAll(/"((?:[^"]|"")*)"/g)].map(([, cell]) => cell!);
      assert.equal(cells.length, 5, row);
      for (const cell of cells) assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
    }
    assert.equal(rows.length, csvOf(tame).split('\r\n').length - 1);
  });
});
