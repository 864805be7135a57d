/** How long a chart takes, against the real helm where it is to be had: node bench/helm.ts CHART [HELM]. */
import { spawnSync } from 'node:child_process';
import { readChart } from '../src/sources/helm/folder.ts';
import { renderChartFiles } from '../src/sources/helm/render.ts';
import '../src/sources/helm/re2.ts';

const [chart, helm] = process.argv.slice(2);
if (chart === undefined) throw new Error('usage: node bench/helm.ts CHART [HELM]');

function median(times: number, work: () => void): number {
  const taken = Array.from({ length: times }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)]!;
}

const first = median(1, () => renderChartFiles(readChart(chart)));
const warm = median(15, () => renderChartFiles(readChart(chart)));
const traced = median(15, () => renderChartFiles(readChart(chart), { trace: true }));
const cli = median(7, () => spawnSync(process.execPath, ['dist/cli.cjs', 'render', chart]));
const lines = [
  ['in process, first', first],
  ['in process, warm', warm],
  ['in process, with origins', traced],
  ['sallyport render, start included', cli],
] as [string, number][];
if (helm !== undefined)
  lines.push(['helm template, start included', median(7, () => spawnSync(helm, ['template', chart]))]);
for (const [name, time] of lines) console.log(`${name.padEnd(34)} ${time.toFixed(1)} ms`);
if (helm !== undefined) console.log(`${(lines.at(-1)![1] / cli).toFixed(1)} times faster than helm`);
