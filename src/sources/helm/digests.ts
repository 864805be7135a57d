/** sprig's digests, and the ciphers as far as their answer is settled by their arguments. */
import { define } from './define.ts';
import type { Fn } from './exec.ts';
import { bytesOf, GoError, GoStruct, type Int, stringOf, type Value } from './value.ts';

/** Brought in when a function needs it: it takes longer to start than most charts to render. */
const crypto = () => process.getBuiltinModule('node:crypto');

const t = (value: Value): string => value as string;
const hash = (name: string): Fn =>
  define('string', ([text]) =>
    crypto()
      .createHash(name)
      .update(bytesOf(t(text)))
      .digest('hex'),
  );

function adler32(text: string): string {
  let [a, b] = [1, 0];
  for (const byte of bytesOf(text)) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return String(b * 65536 + a);
}

/** The templates of the Master Password algorithm, as sprig's crypto.go names them. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  maximum: ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno'],
  long: [
    'CvcvnoCvcvCvcv',
    'CvcvCvcvnoCvcv',
    'CvcvCvcvCvcvno',
    'CvccnoCvcvCvcv',
    'CvccCvcvnoCvcv',
    'CvccCvcvCvcvno',
    'CvcvnoCvccCvcv',
    'CvcvCvccnoCvcv',
    'CvcvCvccCvcvno',
    'CvcvnoCvcvCvcc',
    'CvcvCvcvnoCvcc',
    'CvcvCvcvCvccno',
    'CvccnoCvccCvcv',
    'CvccCvccnoCvcv',
    'CvccCvccCvcvno',
    'CvcvnoCvccCvcc',
    'CvcvCvccnoCvcc',
    'CvcvCvccCvccno',
    'CvccnoCvcvCvcc',
    'CvccCvcvnoCvcc',
    'CvccCvcvCvccno',
  ],
  medium: ['CvcnoCvc', 'CvcCvcno'],
  short: ['Cvcn'],
  basic: ['aaanaaan', 'aannaaan', 'aaannaaa'],
  pin: ['nnnn'],
};

const CLASSES: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
};

function derivePassword([counter, type, password, user, site]: Value[]): string {
  const templates = Object.hasOwn(TEMPLATES, t(type)) ? TEMPLATES[t(type)]! : undefined;
  if (templates === undefined) return `cannot find password template ${t(type)}`;
  const namespace = 'com.lyndir.masterpassword';
  const size = (text: string): Buffer => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(bytesOf(text).length);
    return buffer;
  };
  const salt = Buffer.concat([Buffer.from(namespace), size(t(user)), bytesOf(t(user))]);
  const key = crypto().scryptSync(bytesOf(t(password)), salt, 64, {
    N: 32768,
    r: 8,
    p: 2,
    maxmem: 128 * 1024 * 1024,
  });
  const count = Buffer.alloc(4);
  count.writeUInt32BE(Number((counter as Int).value));
  const seed = crypto()
    .createHmac('sha256', key)
    .update(Buffer.concat([Buffer.from(namespace), size(t(site)), bytesOf(t(site)), count]))
    .digest();
  const template = templates[seed[0]! % templates.length]!;
  return [...template]
    .map((letter, at) => CLASSES[letter]![seed[at + 1]! % CLASSES[letter]!.length])
    .join('');
}

function decryptAes([password, text]: Value[]): string {
  if (t(text) === '') return '';
  const key = Buffer.alloc(32);
  Buffer.from(bytesOf(t(password))).copy(key);
  if (!/^[A-Za-z0-9+/\r\n]*={0,2}$/.test(t(text)) || t(text).replace(/[\r\n]/g, '').length % 4 !== 0)
    throw new GoError(
      `illegal base64 data at input byte ${Math.max(0, /[^A-Za-z0-9+/=\r\n]/.exec(t(text))?.index ?? t(text).length - (t(text).length % 4))}`,
    );
  const data = Buffer.from(t(text), 'base64');
  if (data.length < 16)
    throw new GoError(`runtime error: slice bounds out of range [:16] with capacity ${data.length}`);
  const cipher = crypto().createDecipheriv('aes-256-cbc', key, data.subarray(0, 16)).setAutoPadding(false);
  if ((data.length - 16) % 16 !== 0) throw new GoError('crypto/cipher: input not full blocks');
  const plain = Buffer.concat([cipher.update(data.subarray(16)), cipher.final()]);
  const padding = plain.at(-1) ?? 0;
  if (padding > plain.length)
    throw new GoError(`runtime error: slice bounds out of range [:${plain.length - padding}]`);
  return stringOf(plain.subarray(0, plain.length - padding));
}

/** The real one begins with random bytes; here they are zeros, and the result is marked. */
function encryptAes(password: string, text: string): string {
  const key = Buffer.alloc(32);
  Buffer.from(bytesOf(password)).copy(key);
  const start = Buffer.alloc(16);
  const cipher = crypto().createCipheriv('aes-256-cbc', key, start);
  return Buffer.concat([start, cipher.update(bytesOf(text)), cipher.final()]).toString('base64');
}

export const digestFunctions: Readonly<Record<string, Fn>> = {
  sha1sum: hash('sha1'),
  sha256sum: hash('sha256'),
  sha512sum: hash('sha512'),
  adler32sum: define('string', ([text]) => adler32(t(text))),
  derivePassword: define('uint32, string, string, string, string', derivePassword),
  encryptAES: define('string, string', ([password, text], context) => {
    context.tracer?.unresolved('encryptAES');
    return encryptAes(t(password), t(text));
  }),
  decryptAES: define('string, string', decryptAes),
  buildCustomCert: define('string, string', ([cert, key]) => {
    const read = (text: Value, what: string): string => {
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(t(text)) || t(text).length % 4 !== 0)
        throw new GoError(`unable to decode base64 ${what}`);
      return Buffer.from(t(text), 'base64').toString();
    };
    const [certText, keyText] = [read(cert, 'certificate'), read(key, 'private key')];
    if (!certText.includes('-----BEGIN ')) throw new GoError('unable to decode certificate');
    if (!keyText.includes('-----BEGIN ')) throw new GoError('unable to decode private key');
    return new GoStruct('sprig.certificate', {
      fields: new Map([
        ['Cert', certText],
        ['Key', keyText],
      ]),
    });
  }),
};
