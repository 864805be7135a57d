/** A pod against the Pod Security Standards, with the API server's own words. Source: pod-security-admission policy/. */
import { decodePod } from '#kube/decode.ts';
import type { Pod } from '#kube/pods.ts';
import { withDefaults } from './defaults.ts';
import type { Violation } from './standards/check.ts';
import { controlsOf, type Level, NEWEST } from './standards/registry.ts';

export interface EvaluateOptions {
  readonly level: Level;
  /** `latest`, or `v1.0` and so on. */
  readonly version: string;
  /** What API defaulting adds before judging; `api-server` unless said otherwise. */
  readonly defaults?: 'api-server' | 'none';
}

export interface ControlResult {
  readonly id: string;
  readonly level: 'baseline' | 'restricted';
  readonly allowed: boolean;
  /** Empty where it is allowed. */
  readonly reason: string;
  readonly detail: string;
  readonly violations: readonly Violation[];
}

export interface Evaluation {
  readonly allowed: boolean;
  /** The reasons of the controls that deny, joined as the API server joins them. */
  readonly reason: string;
  readonly detail: string;
  readonly checks: readonly ControlResult[];
}

/** A version that is none: the message says what was expected. */
export class VersionError extends Error {
  override readonly name = 'VersionError';
}

/**
 * The minor version of `latest` or `v1.N`.
 *
 * @throws VersionError as the label parser refuses it. Source: api/constants.go, api/helpers.go (ParseVersion).
 */
export function parseVersion(version: string): number {
  const minor = tryVersion(version);
  if (minor === undefined) throw new VersionError('must be "latest" or "v1.x"');
  return minor;
}

/** What Go's Atoi reads. */
const MAX_INT64 = 2n ** 63n - 1n;

/** As {@link parseVersion}; undefined for what is no version. */
export function tryVersion(version: string): number | undefined {
  if (version === 'latest') return NEWEST;
  const minor = /^v1\.(0|[1-9][0-9]*)$/.exec(version)?.[1];
  return minor === undefined || BigInt(minor.slice(0, 20)) > MAX_INT64 ? undefined : Number(minor);
}

/**
 * What the API server decides about a pod at one level and version.
 *
 * @param pod as a client submits it: unknown fields do not matter, null is unset
 * @throws DecodeError (`InvalidPodError` at the door) where the API server could not decode it
 * @throws VersionError
 */
export function evaluate(
  pod: { readonly metadata?: unknown; readonly spec?: unknown },
  { level, version, defaults = 'api-server' }: EvaluateOptions,
): Evaluation {
  const minor = parseVersion(version);
  const decoded = decodePod(pod);
  return evaluateDecoded(defaults === 'none' ? decoded : withDefaults(decoded), level, minor);
}

/** As {@link evaluate}, for a pod that is decoded and defaulted already. */
export function evaluateDecoded(pod: Pod, level: Level, minor: number): Evaluation {
  const checks = controlsOf(level, minor).map(({ control: { id, level }, revision }): ControlResult => {
    const breach = revision.breach(pod);
    return breach === undefined
      ? { id, level, allowed: true, reason: '', detail: '', violations: [] }
      : { id, level, allowed: false, ...breach };
  });
  return { allowed: checks.every(({ allowed }) => allowed), ...aggregate(checks), checks };
}

/** Source: policy/checks.go (AggregateCheckResults, ForbiddenReason, ForbiddenDetail). */
function aggregate(checks: readonly ControlResult[]): { readonly reason: string; readonly detail: string } {
  const denied = checks.filter(({ allowed }) => !allowed);
  return {
    reason: denied.map(({ reason }) => reason).join(', '),
    detail: denied.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', '),
  };
}
