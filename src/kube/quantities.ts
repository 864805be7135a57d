/** Resource quantities as text. Source: apimachinery pkg/api/resource/quantity.go (ParseQuantity), suffix.go. */

/** What the text of a quantity says: its digits, times a power of ten or two. */
export interface QuantityText {
  readonly negative: boolean;
  readonly whole: string;
  readonly fraction: string;
  readonly base: 10 | 2;
  readonly exponent: number;
}

const SUFFIX: Readonly<Record<string, readonly [10 | 2, number]>> = {
  n: [10, -9],
  u: [10, -6],
  m: [10, -3],
  '': [10, 0],
  k: [10, 3],
  M: [10, 6],
  G: [10, 9],
  T: [10, 12],
  P: [10, 15],
  E: [10, 18],
  Ki: [2, 10],
  Mi: [2, 20],
  Gi: [2, 30],
  Ti: [2, 40],
  Pi: [2, 50],
  Ei: [2, 60],
};
const PLAIN = /^[0-9]+(?:\.[0-9]+)?(?:[numkMGTPE]|[KMGTPE]i)?$/;
const FORM = /^([-+]?)([0-9]*)(?:\.([0-9]*))?([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?$/;
const INT64 = 2n ** 63n;

/**
 * The parts of a quantity; undefined where Kubernetes refuses it. Digits may be missing altogether (`-`, `.e3` and `Ki`
 * are zero), but not where the real parser leaves its fast way: with an exponent below -9, or with `Pi` and `Ei`.
 */
export function quantityText(text: string): QuantityText | undefined {
  const parts = text === '' ? null : FORM.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = ''] = parts;
  let [base, exponent] = SUFFIX[suffix] ?? ([10, 0] as const);
  if (!Object.hasOwn(SUFFIX, suffix)) {
    const written = BigInt(suffix.slice(suffix[1] === '+' ? 2 : 1));
    if (written >= INT64 || written < -INT64) return undefined;
    exponent = Number(BigInt.asIntN(32, written));
  }
  if (whole === '' && fraction === '' && (base === 10 ? exponent < -9 : exponent > 40)) return undefined;
  return { negative: sign === '-', whole, fraction, base, exponent };
}

/** Whether the text is a quantity. White space around it is forgiven, as the API server forgives it. */
export function isQuantity(text: string): boolean {
  return PLAIN.test(text) || quantityText(trimmed(text)) !== undefined;
}

/**
 * The white space that stands as it is in JSON; the rest comes escaped, and is not forgiven. Source: quantity.go
 * (UnmarshalJSON), which trims what is written.
 */
const SPACE = /^[ \u0085\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]$/;

function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text[start]!)) start++;
  while (end > start && SPACE.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}
