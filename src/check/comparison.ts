/** What a change does to security: plain data, ready for any format. */

import type { ObjectReference } from '#kube/objects.ts';
import type { Excepted, Finding, Region, Report, Unknown } from './finding.ts';
import type { Practice } from './practices.ts';
import type { Severity } from './severity.ts';

/** One thing that is otherwise than before, beyond what checks find. */
export interface SecurityChange extends Region {
  /** `practice/name`, like the id of a check: `cicd/weakened-guard`. */
  readonly kind: string;
  readonly practice: Practice;
  readonly direction: 'worse' | 'better' | 'neutral';
  /** How much it matters where it is for the worse. */
  readonly severity: Severity;
  /** The side whose file the place is in. */
  readonly side: 'base' | 'head';
  readonly object: ObjectReference;
  /** Inside the object; empty for the whole. */
  readonly path: string;
  readonly text: string;
  /** Where the object is built for several environments: those in which it is so. */
  readonly environments?: readonly string[];
  /** Of how many environments these are some; absent where that has been put into words. */
  readonly among?: number;
}

export interface ComparedSide {
  /** As the user named it, and the commit that it meant. */
  readonly name: string;
  readonly commit?: string;
}

export interface Comparison {
  readonly schema: string;
  readonly version: string;
  readonly base: ComparedSide;
  readonly head: ComparedSide;
  readonly objects: { readonly added: number; readonly removed: number; readonly changed: number };
  /** The worst first, guards before all else. */
  readonly changes: readonly SecurityChange[];
  readonly new: readonly Finding[];
  readonly fixed: readonly Finding[];
  /** Of the objects that changed, how many findings there were before and still are. */
  readonly unchanged: number;
  /** What can be judged no more. */
  readonly unknowns: readonly Unknown[];
  /** New findings that an exception accepts. */
  readonly excepted: readonly Excepted[];
  /** New findings and changes for the worse, as a report: what the formats of a scan show, and the gate judges. */
  readonly report: Report;
}
