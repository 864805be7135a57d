/** Resource quantities with exact arithmetic. Source: apimachinery pkg/api/resource/quantity.go. */
import { opaque } from './types.ts';
import { MAX_INT, MIN_INT, Opaque } from './values.ts';

export const QUANTITY = opaque('kubernetes.Quantity');

const SUFFIX: Readonly<Record<string, readonly [number, number]>> = {
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
const PATTERN = /^([-+]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]{1,3})?$/;
/** Nothing is smaller than a billionth. */
const SCALE = 10n ** 9n;

export class Quantity extends Opaque {
  static readonly zero = new Quantity(0n);
  static of(whole: bigint): Quantity {
    return new Quantity(whole * SCALE);
  }

  readonly typeName = 'kubernetes.Quantity';
  /** In billionths. */
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }

  equals(other: Opaque): boolean {
    return other instanceof Quantity && other.nanos === this.nanos;
  }

  compare({ nanos }: Quantity): number {
    return this.nanos < nanos ? -1 : this.nanos > nanos ? 1 : 0;
  }

  plus({ nanos }: Quantity): Quantity {
    return new Quantity(this.nanos + nanos);
  }

  minus({ nanos }: Quantity): Quantity {
    return new Quantity(this.nanos - nanos);
  }

  /** The whole number that it is, if it is one of 64 bits. */
  integer(): bigint | undefined {
    if (this.nanos % SCALE !== 0n) return undefined;
    const value = this.nanos / SCALE;
    return value >= MIN_INT && value <= MAX_INT ? value : undefined;
  }

  approximate(): number {
    return Number(this.nanos / SCALE) + Number(this.nanos % SCALE) / 1e9;
  }
}

export function isQuantity(text: string): boolean {
  return parseQuantity(text) !== undefined;
}

/** Fractions finer than a billionth are rounded away from zero, as the API server does it. */
export function parseQuantity(text: string): Quantity | undefined {
  const parts = text.length > 300 ? null : PATTERN.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = parts[4] ?? '', , suffix = ''] = parts;
  const [base, exponent] = /^[eE][-+]?[0-9]/.test(suffix) ? [10, Number(suffix.slice(1))] : SUFFIX[suffix]!;
  if (Math.abs(exponent) > 100) return undefined;
  let value = BigInt(`${whole}${fraction}` || '0') * SCALE;
  let divisor = 10n ** BigInt(fraction.length);
  if (exponent >= 0) value *= BigInt(base) ** BigInt(exponent);
  else divisor *= BigInt(base) ** BigInt(-exponent);
  const nanos = (value + divisor - 1n) / divisor;
  return new Quantity(sign === '-' ? -nanos : nanos);
}
