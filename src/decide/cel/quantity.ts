/** Resource quantities with exact arithmetic. Source: apimachinery pkg/api/resource/quantity.go. */
import { quantityText } from '#kube/quantities.ts';
import { opaque } from './types.ts';
import { MAX_INT, MIN_INT, Opaque } from './values.ts';

export const QUANTITY = opaque('kubernetes.Quantity');

/** Nothing is smaller than a billionth. */
const SCALE = 10n ** 9n;

/** What fits 64 bits is counted in them, as a whole number times a power of ten; the rest in decimals of any length. */
interface Amount {
  readonly value: bigint;
  readonly exponent: number;
  readonly isInt64: boolean;
}

export class Quantity extends Opaque {
  static readonly zero = new Quantity({ value: 0n, exponent: 0, isInt64: true });
  static of(whole: bigint): Quantity {
    return new Quantity({ value: whole, exponent: 0, isInt64: true });
  }

  readonly typeName = 'kubernetes.Quantity';
  readonly #amount: Amount;
  /** In billionths. */
  readonly nanos: bigint;

  override readonly isPointer: boolean;

  /** @param isPointer of the results of `add` and `sub` */
  constructor(amount: Amount, isPointer = false) {
    super();
    this.isPointer = isPointer;
    this.#amount = amount;
    this.nanos = amount.value * 10n ** BigInt(amount.exponent + 9);
  }

  equals(other: Opaque): boolean {
    return other instanceof Quantity && other.nanos === this.nanos;
  }

  compare({ nanos }: Quantity): number {
    return this.nanos < nanos ? -1 : this.nanos > nanos ? 1 : 0;
  }

  plus(other: Quantity): Quantity {
    return this.#plus(other.#amount);
  }

  minus(other: Quantity): Quantity {
    const { value, exponent, isInt64 } = other.#amount;
    return this.#plus({ value: -value, exponent, isInt64 });
  }

  /** Source: pkg/api/resource/amount.go (int64Amount.Add), quantity.go (Add, Sub). */
  #plus(other: Amount): Quantity {
    const mine = this.#amount;
    if (mine.isInt64 && other.isInt64) {
      if (other.value === 0n) return new Quantity(mine, true);
      if (mine.value === 0n) return new Quantity(other, true);
    }
    const exponent = Math.min(mine.exponent, other.exponent);
    const [a, b] = [mine, other].map(one => one.value * 10n ** BigInt(one.exponent - exponent)) as [
      bigint,
      bigint,
    ];
    const isInt64 = mine.isInt64 && other.isInt64 && [a, b, a + b].every(fitsInt64);
    return new Quantity({ value: a + b, exponent, isInt64 }, true);
  }

  /**
   * The whole number that it is, if it is counted in 64 bits and without fractions: `1000m` and `1.5Gi` are none.
   * Source: quantity.go (AsInt64).
   */
  integer(): bigint | undefined {
    const { value, exponent, isInt64 } = this.#amount;
    if (!isInt64 || exponent < 0) return undefined;
    const whole = value * 10n ** BigInt(exponent);
    return fitsInt64(whole) ? whole : undefined;
  }

  /** Source: quantity.go (AsApproximateFloat64). */
  approximate(): number {
    const { value, exponent } = this.#amount;
    return exponent === 0 ? Number(value) : Number(value) * Number(`1e${exponent}`);
  }
}

function fitsInt64(value: bigint): boolean {
  return value >= MIN_INT && value <= MAX_INT;
}

export function isQuantity(text: string): boolean {
  return parseQuantity(text) !== undefined;
}

/** A power of ten beyond this is told apart from no other: such numbers are not computed. */
const MAX_EXPONENT = 1000;
/** So many digits fit 64 bits whatever they are. Source: pkg/api/resource/math.go (maxInt64Factors). */
const INT64_DIGITS = 18;

/** Fractions finer than a billionth are rounded away from zero, and powers of two end at 2^63-1, as in the API server. */
export function parseQuantity(text: string): Quantity | undefined {
  const parts = text.length > 1000 ? undefined : quantityText(text);
  if (parts === undefined) return undefined;
  const { negative, fraction, base } = parts;
  const sign = negative ? -1n : 1n;
  const whole = parts.whole.replace(/^0+/, '') || '0';
  const digits = BigInt(`${whole}${fraction}`);
  if (/^0*$/.test(parts.whole) && !text.includes('.') && fraction === '' && /^[-+]?0+$/.test(text))
    return Quantity.zero;
  const exponent = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, parts.exponent));
  const scale = (base === 10 ? exponent : 0) - fraction.length;
  const room =
    base === 10
      ? INT64_DIGITS - whole.length - fraction.length
      : fraction === ''
        ? 15 - whole.length - Math.trunc((exponent * 3) / 10) - 1
        : -1;
  const value = base === 10 ? digits : digits * 2n ** BigInt(exponent);
  if (room >= 0 && scale >= -9 && fitsInt64(value))
    return new Quantity({ value: value * sign, exponent: scale, isInt64: true });
  // The slow way counts in billionths, and rounds what is finer up.
  const divisor = scale < -9 ? 10n ** BigInt(-9 - scale) : 1n;
  const scaled = scale > -9 ? value * 10n ** BigInt(scale + 9) : value;
  const nanos = (scaled + divisor - 1n) / divisor;
  if (base === 2 && nanos > MAX_INT * SCALE)
    return new Quantity({ value: MAX_INT * sign, exponent: 0, isInt64: false });
  return new Quantity({ value: nanos * sign, exponent: -9, isInt64: false });
}
