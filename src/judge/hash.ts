/** A fingerprint of text: 128 bits, stable over platforms and versions. Not for secrets: cyrb-style mixing, no cipher. */

/** 32 hexadecimal digits. Four lanes of multiply-and-xor mixing over the text's UTF-16 code units. */
export function fingerprintOf(text: string): string {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  let c = 0xc2b2ae35;
  let d = 0x27d4eb2f;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x85ebca77);
    c = Math.imul(c ^ unit, 0xc2b2ae3d);
    d = Math.imul(d ^ unit, 0x27d4eb2f);
    a ^= d >>> 15;
    b ^= a >>> 13;
    c ^= b >>> 16;
    d ^= c >>> 14;
  }
  return [a, b, c, d].map(lane => finish(lane ^ text.length)).join('');
}

function finish(lane: number): string {
  lane = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  lane = Math.imul(lane ^ (lane >>> 13), 0xc2b2ae35);
  return ((lane ^ (lane >>> 16)) >>> 0).toString(16).padStart(8, '0');
}
