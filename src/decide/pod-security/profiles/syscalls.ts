/** Names, numbers and architectures of system calls. Source: libseccomp src/syscalls.csv and src/arch.c. */
import { architectures, table } from './syscalls.generated.ts';

/** How libseccomp calls an architecture: `x86_64`. */
export type Architecture = string;

/** Tokens of profiles. Byte order does not change numbers, so `MIPSEL64` has the numbers of `MIPS64`. */
const TOKENS: Readonly<Record<string, Architecture>> = {
  X86: 'x86',
  X86_64: 'x86_64',
  X32: 'x32',
  ARM: 'arm',
  AARCH64: 'aarch64',
  LOONGARCH64: 'loongarch64',
  MIPS: 'mips',
  MIPSEL: 'mips',
  MIPS64: 'mips64',
  MIPSEL64: 'mips64',
  MIPS64N32: 'mips64n32',
  MIPSEL64N32: 'mips64n32',
  PPC64: 'ppc64',
  PPC64LE: 'ppc64',
  RISCV64: 'riscv64',
  S390: 's390',
  S390X: 's390x',
};
/** Known to libseccomp, with numbers that are not held here. */
const OTHERS = new Set(['PPC', 'PARISC', 'PARISC64', 'M68K', 'SH', 'SHEB', 'NATIVE']);

/** Go's names, which Docker's conditions use, by architecture. */
const GO_NAMES: Readonly<Record<Architecture, string>> = {
  x86: '386',
  x86_64: 'amd64',
  x32: 'x32',
  arm: 'arm',
  aarch64: 'arm64',
  loongarch64: 'loong64',
  mips64: 'mips64',
  mips64n32: 'mips64n32',
  mips: 'mips',
  ppc64: 'ppc64le',
  riscv64: 'riscv64',
  s390: 's390',
  s390x: 's390x',
};

/** AUDIT_ARCH_ values of the kernel log. Source: include/uapi/linux/audit.h. */
const AUDIT: Readonly<Record<string, Architecture>> = {
  c000003e: 'x86_64',
  '40000003': 'x86',
  c00000b7: 'aarch64',
  '40000028': 'arm',
  c00000f3: 'riscv64',
  '80000016': 's390x',
  c0000015: 'ppc64',
  c0000102: 'loongarch64',
};

const numbers = new Map<string, readonly (number | undefined)[]>(
  table.split(';').flatMap(row => {
    const [name, ...cells] = row.split(',');
    return name === undefined || name === ''
      ? []
      : [[name, cells.map(cell => (cell === '' ? undefined : Number(cell)))] as const];
  }),
);

export function syscallNames(): Iterable<string> {
  return numbers.keys();
}

export function isSyscall(name: string): boolean {
  return numbers.has(name);
}

/** @returns undefined where the architecture has no such call */
export function numberOf(name: string, architecture: Architecture): number | undefined {
  return numbers.get(name)?.[architectures.indexOf(architecture)];
}

/** The name behind a number of the kernel log. */
export function nameOfNumber(number: number, architecture: Architecture): string | undefined {
  const at = architectures.indexOf(architecture);
  for (const [name, row] of numbers) if (row[at] === number) return name;
  return undefined;
}

export function auditArchitecture(hex: string): Architecture | undefined {
  return AUDIT[hex.toLowerCase()];
}

/** `SCMP_ARCH_X86_64`, `x86_64` or Go's `amd64`. */
export function architectureOf(word: string): Architecture | undefined {
  const token = word.replace(/^SCMP_ARCH_/, '').toUpperCase();
  return Object.hasOwn(TOKENS, token)
    ? TOKENS[token]
    : Object.keys(GO_NAMES).find(name => GO_NAMES[name] === word);
}

/** A token that is right in a profile, also of an architecture whose numbers are not held here. */
export function isArchitectureToken(token: string): boolean {
  const word = token.replace(/^SCMP_ARCH_/, '');
  return token.startsWith('SCMP_ARCH_') && (Object.hasOwn(TOKENS, word) || OTHERS.has(word));
}

/** Whether Docker's condition `arches` names the architecture of the node. */
export function isNamed(architecture: Architecture, goNames: readonly string[]): boolean {
  return goNames.includes(GO_NAMES[architecture] ?? architecture);
}
