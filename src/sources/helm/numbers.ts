/** Numbers as Go writes them: strconv.FormatFloat with its letters, and integers in any base. */

interface Digits {
  readonly negative: boolean;
  readonly digits: string;
  /** Where the point stands: 0.digits × 10^point. */
  readonly point: number;
}

/** The shortest digits that read back as the number: JavaScript and Go agree on them. */
function shortest(value: number): Digits {
  const negative = value < 0 || Object.is(value, -0);
  if (value === 0) return { negative, digits: '', point: 0 };
  const [mantissa, exponent] = Math.abs(value).toExponential().split('e') as [string, string];
  return { negative, digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
}

/** The number with so many digits, rounded to even on its exact binary value. */
function rounded(value: number, keep: (point: number) => number): Digits {
  const negative = value < 0 || Object.is(value, -0);
  const absolute = Math.abs(value);
  if (absolute === 0) return { negative, digits: '', point: 0 };
  const { digits, point } = exactDigits(absolute);
  const count = keep(point);
  if (count < 0) return { negative, digits: '', point: 0 };
  if (count >= digits.length) return { negative, digits: digits.replace(/0+$/, ''), point };
  const half = digits[count]!;
  const rest = digits.slice(count + 1);
  const up =
    half > '5' ||
    (half === '5' && (/[1-9]/.test(rest) || (count > 0 && Number(digits[count - 1]) % 2 === 1)));
  const kept = digits.slice(0, count);
  if (!up) return { negative, digits: kept.replace(/0+$/, ''), point };
  const raised = (BigInt(kept === '' ? '0' : kept) + 1n).toString().padStart(count, '0');
  return { negative, digits: raised.replace(/0+$/, ''), point: raised.length > count ? point + 1 : point };
}

function exactDigits(value: number): { digits: string; point: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const raw = Number((bits >> 52n) & 0x7ffn);
  const mantissa = raw === 0 ? bits & 0xfffffffffffffn : (bits & 0xfffffffffffffn) | 0x10000000000000n;
  const exponent = (raw === 0 ? 1 : raw) - 1075;
  if (exponent >= 0) {
    const digits = (mantissa << BigInt(exponent)).toString();
    return { digits, point: digits.length };
  }
  const digits = (mantissa * 5n ** BigInt(-exponent)).toString();
  return { digits, point: digits.length + exponent };
}

/** strconv.FormatFloat(value, letter, precision, 64); a precision of -1 means the shortest. */
export function formatFloat(
  value: number,
  letter: 'e' | 'E' | 'f' | 'F' | 'g' | 'G',
  precision: number,
): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  switch (letter) {
    case 'e':
    case 'E': {
      const parts = precision < 0 ? shortest(value) : rounded(value, () => precision + 1);
      return exponential(parts, precision < 0 ? Math.max(parts.digits.length - 1, 0) : precision, letter);
    }
    case 'f':
    case 'F': {
      const parts = precision < 0 ? shortest(value) : rounded(value, point => point + precision);
      return fixed(parts, precision < 0 ? Math.max(parts.digits.length - parts.point, 0) : precision);
    }
    default: {
      const parts = precision < 0 ? shortest(value) : rounded(value, () => (precision === 0 ? 1 : precision));
      let limit = precision < 0 ? 6 : precision === 0 ? 1 : precision;
      const asked = precision === 0 ? 1 : precision;
      if (precision >= 0 && limit > parts.digits.length && parts.digits.length >= parts.point)
        limit = parts.digits.length;
      const exponent = parts.point - 1;
      if (exponent < -4 || exponent >= limit) {
        const show = precision < 0 || asked > parts.digits.length ? parts.digits.length : asked;
        return exponential(parts, Math.max(show - 1, 0), letter === 'g' ? 'e' : 'E');
      }
      return fixed(parts, Math.max(parts.digits.length - parts.point, 0));
    }
  }
}

function exponential(parts: Digits, precision: number, letter: string): string {
  const digits = parts.digits === '' ? '0' : parts.digits;
  const fraction = digits.slice(1).padEnd(precision, '0').slice(0, precision);
  const exponent = parts.digits === '' ? 0 : parts.point - 1;
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${parts.negative ? '-' : ''}${digits[0]}${precision > 0 ? `.${fraction}` : ''}${letter}${exponent < 0 ? '-' : '+'}${size}`;
}

function fixed(parts: Digits, precision: number): string {
  const { digits, point } = parts;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  let fraction = '';
  for (let at = 0; at < precision; at++) fraction += digits[point + at] ?? '0';
  return `${parts.negative ? '-' : ''}${whole}${precision > 0 ? `.${fraction}` : ''}`;
}

/** A float as `%v` prints it. */
export const showFloat = (value: number): string => formatFloat(value, 'g', -1);
