/** Quantities as numbers, so that `1` and `1000m` are the same. Source: apimachinery pkg/api/resource (ParseQuantity). */

const SUFFIXES: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  '': [10n, 0],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60],
};

const QUANTITY = /^([-+]?)([0-9]*)\.?([0-9]*)(?:[eE]([-+]?[0-9]+)|([a-zA-Z]*))$/;

/** More digits before or after the point make no difference: beyond are the largest and the smallest quantity. */
const MOST = 40;

/**
 * The amount in thousandths, rounded away from zero as the API server rounds resources.
 *
 * @param quantity as decoded: a number, or a text that is a quantity
 */
export function amountOf(quantity: string | number | bigint): bigint {
  const [, sign, whole = '', fraction = '', power, suffix = ''] =
    QUANTITY.exec(String(quantity).trim()) ?? [];
  const digits = BigInt(`${whole}${fraction}` || '0');
  if (digits === 0n) return 0n;
  const [base, exponent] = SUFFIXES[suffix] ?? [10n, 0];
  const isBinary = base === 2n;
  const tens = Math.max(
    -MOST,
    Math.min(MOST, 3 - fraction.length + (isBinary ? 0 : exponent + Number(power ?? 0))),
  );
  const scaled = digits * (isBinary ? 2n ** BigInt(exponent) : 1n);
  const divisor = tens < 0 ? 10n ** BigInt(-tens) : 1n;
  const amount = tens < 0 ? (scaled + divisor - 1n) / divisor : scaled * 10n ** BigInt(tens);
  return sign === '-' ? -amount : amount;
}
