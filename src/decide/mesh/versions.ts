/** Versions of proxies: three numbers, whatever stands behind them. */

/**
 * Whether a version has a fix.
 *
 * @param first the first release of each minor version that has it, oldest first; newer minor versions have it too
 * @returns false where the text is no version
 */
export function hasFix(version: string, first: readonly string[]): boolean {
  const is = numbersOf(version);
  if (is === undefined) return false;
  const releases = first.map(release => numbersOf(release)!);
  const own = releases.find(([major, minor]) => major === is[0] && minor === is[1]);
  if (own !== undefined) return is[2]! >= own[2]!;
  const [major, minor] = releases.at(-1)!;
  return is[0]! > major! || (is[0] === major && is[1]! > minor!);
}

function numbersOf(version: string): readonly number[] | undefined {
  const found = /^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?![\d.])/.exec(version);
  return found === null ? undefined : found.slice(1).map(part => Number(part ?? 0));
}
