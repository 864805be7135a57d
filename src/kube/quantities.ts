/** Resource quantities. Source: apimachinery pkg/api/resource/quantity.go (ParseQuantity). */

const QUANTITY = /^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$/;

/** Whether the text is a quantity. White space around it is forgiven, as the API server forgives it. */
export function isQuantity(text: string): boolean {
  return QUANTITY.test(text.trim());
}

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The size of a quantity as a number, near enough to compare; undefined for what is none. */
export function quantityOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string' || !isQuantity(value)) return undefined;
  const text = value.trim();
  const [, digits, suffix] = /^([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = FACTORS[suffix ?? ''];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
