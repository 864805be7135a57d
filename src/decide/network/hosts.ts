/** Host names with a wildcard in front, as Ingress, Gateway API and Istio write them. */

/** Whether a pattern (`*`, `*.example.com`, a name) covers a name or a narrower pattern. */
export function coversHost(pattern: string, host: string): boolean {
  const [wide, narrow] = [pattern.toLowerCase(), host.toLowerCase()];
  if (wide === '*' || wide === narrow) return true;
  return wide.startsWith('*.') && narrow.endsWith(wide.slice(1)) && narrow.length > wide.length - 1;
}

/**
 * What two lists of host names have in common; an empty list stands for all names.
 *
 * @returns undefined where they have nothing in common
 */
export function commonHosts(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const common = a.flatMap(left =>
    b.flatMap(right => (coversHost(left, right) ? [right] : coversHost(right, left) ? [left] : [])),
  );
  return common.length === 0 ? undefined : [...new Set(common)];
}
