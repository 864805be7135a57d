/** The library's door: read manifests into a world, judge it, report. */
export type { Check } from './check/check.ts';
export type { Finding, Report, Unknown } from './check/finding.ts';
export { reportOf, version } from './judge/report.ts';
export { type Judged, type Selected, scan } from './judge/scan.ts';
export { type Selection, select } from './judge/select.ts';
export type { KubeObject } from './kube/objects.ts';
export { checks } from './practices/index.ts';
export { type FileRecord, type Manifests, readManifests } from './sources/manifests/manifests.ts';
export { PathError } from './sources/manifests/walk.ts';
export { type Declared, type Gap, World, type WorldInput } from './world/world.ts';
