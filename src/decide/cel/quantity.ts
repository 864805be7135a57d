/** Resource quantities with exact arithmetic. Source: apimachinery pkg/api/resource/quantity.go. */
import { quantityText } from '#kube/quantities.ts';
import { opaque } from './types.ts';
import { MAX_INT, MIN_INT, Opaque } from './values.ts';

export const QUANTITY = opaque('kubernetes.Quantity');

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

/** A power of ten or two beyond this is told apart from no other: such numbers are not computed. */
const MAX_EXPONENT = 1000;

/** Fractions finer than a billionth are rounded away from zero, and powers of two end at 2^63-1, as in the API server. */
export function parseQuantity(text: string): Quantity | undefined {
  const parts = text.length > 1000 ? undefined : quantityText(text);
  if (parts === undefined) return undefined;
  const { negative, whole, fraction, base } = parts;
  const exponent = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, parts.exponent));
  let value = BigInt(`${whole}${fraction}`) * SCALE;
  let divisor = 10n ** BigInt(fraction.length);
  if (exponent >= 0) value *= BigInt(base) ** BigInt(exponent);
  else divisor *= BigInt(base) ** BigInt(-exponent);
  let nanos = (value + divisor - 1n) / divisor;
  if (base === 2 && nanos > MAX_INT * SCALE) nanos = MAX_INT * SCALE;
  return new Quantity(negative ? -nanos : nanos);
}
