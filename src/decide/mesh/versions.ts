/** Versions of proxies: three numbers, whatever stands behind them. */

/** Whether a version is not older than another; false where it is no version. */
export function isAtLeast(version: string, least: string): boolean {
  const [is, should] = [numbersOf(version), numbersOf(least)];
  if (is === undefined || should === undefined) return false;
  for (const [index, number] of should.entries()) if (is[index] !== number) return is[index]! > number;
  return true;
}

function numbersOf(version: string): readonly number[] | undefined {
  const found = /^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?![\d.])/.exec(version);
  return found === null ? undefined : found.slice(1).map(part => Number(part ?? 0));
}
