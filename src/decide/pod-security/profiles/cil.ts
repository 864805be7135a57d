/**
 * Reads the Common Intermediate Language of SELinux: lists of words in parentheses, as RawSelinuxProfile objects hold
 * them. Source: selinux-project secilc/docs/cil_reference_guide.md, libsepol/cil/src/cil_lexer.l.
 */

export interface CilList {
  readonly items: readonly (CilList | string)[];
  /** From 1, in the text. */
  readonly line: number;
}

export interface ReadCil {
  readonly statements: readonly CilList[];
  readonly errors: readonly { readonly line: number; readonly message: string }[];
}

/** The API server takes no longer policy. Source: rawselinuxprofile_types.go. */
const LONGEST = 500_000;
const DEEPEST = 64;

export function readCil(text: string): ReadCil {
  if (text.length > LONGEST)
    return { statements: [], errors: [{ line: 1, message: 'it is longer than 500,000 characters' }] };
  const errors: { line: number; message: string }[] = [];
  const statements: CilList[] = [];
  const open: { items: (CilList | string)[]; line: number }[] = [];
  const tokens = /;[^\n]*|"[^"\n]*"|[()]|[^\s()";]+|"|\n/g;
  let line = 1;
  for (const [token] of text.matchAll(tokens)) {
    if (token === '\n') line++;
    else if (token === '(') {
      if (open.length >= DEEPEST) {
        errors.push({ line, message: 'lists stand too deep inside each other' });
        return { statements, errors };
      }
      open.push({ items: [], line });
    } else if (token === ')') {
      const done = open.pop();
      if (done === undefined) errors.push({ line, message: 'a parenthesis closes nothing' });
      else (open.at(-1)?.items ?? statements).push(done);
    } else if (token === '"') errors.push({ line, message: 'a quotation mark is not closed' });
    else if (!token.startsWith(';')) {
      const inner = open.at(-1);
      if (inner === undefined)
        errors.push({ line, message: `"${token.slice(0, 40)}" stands outside of a list` });
      else inner.items.push(token);
    }
  }
  for (const one of open) errors.push({ line: one.line, message: 'a list is not closed' });
  return { statements, errors };
}
