/** The map as one self-contained page: zoom, search, filters; no network, nothing of the input that could run. */

import { xml } from '../markup.ts';
import { count } from '../safe.ts';
import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from './html-assets.ts';
import type { MeshMap } from './map.ts';
import { svgOf } from './svg.ts';

const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; script-src '${SCRIPT_HASH}'; base-uri 'none'; form-action 'none'`;

export function htmlOf(map: MeshMap): string {
  const { workloads, assumptions } = map;
  const namespaces = [...new Set(workloads.map(({ namespace }) => namespace))];
  const exposed = workloads.filter(one => one.exposed.length > 0).length;
  const options = namespaces.map(name => `<option value="${xml(name)}">${xml(name)}</option>`).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Sallyport: connections</title><style>${STYLE}</style></head>
<body><header><h1>Connections</h1><p>${count(workloads.length, 'workload')} in ${count(namespaces.length, 'namespace')}, ${exposed} exposed</p>
<form id="bar"><input id="q" type="search" placeholder="Search workloads" aria-label="Search workloads"><select id="n" aria-label="Namespace"><option value="">all namespaces</option>${options}</select><input id="p" placeholder="port" aria-label="Port" size="7"><label><input id="v" type="checkbox"> only violations</label><button type="button" id="i" aria-label="Zoom in">+</button><button type="button" id="o" aria-label="Zoom out">&#8722;</button><button type="button" id="f">fit</button></form>
<p class="key"><span class="red">red</span> exposed to the outside, <span class="amber">amber</span> open to every workload; solid arrow encrypted, dashed plain text, dotted unknown; green dot in the mesh</p></header>
<div id="m">${svgOf(map)}</div><aside id="d" aria-live="polite"></aside>
<details><summary>Assumed</summary><ul>${assumptions.map(text => `<li>${xml(text)}</li>`).join('')}</ul></details>
<script>${SCRIPT}</script></body></html>
`;
}
