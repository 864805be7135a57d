/**
 * Matches paths with the globs of AppArmor, as a state machine: time grows with the product of both lengths, whatever the
 * glob. Source: parser/parser_regex.c of AppArmor (convert_aaregex_to_pcre, filter_slashes).
 */

type Step =
  | { readonly is: 'char'; readonly char: string }
  /** `?` and one step of `*`: anything but a slash. */
  | { readonly is: 'any' }
  /** One step of `**`. */
  | { readonly is: 'deep' }
  | { readonly is: 'class'; readonly body: string }
  | { readonly is: 'split'; readonly to: number[] }
  | { readonly is: 'end' };

/** A glob made ready. */
export interface Glob {
  readonly steps: readonly Step[];
  /** Every path that matches begins so. */
  readonly prefix: string;
}

/** How many steps all matching together may take. */
export interface Budget {
  left: number;
}

/** No path of Linux is as long. */
const LONGEST = 4096;
/** MAX_ALT_DEPTH of the parser. */
const DEEPEST = 50;

/** @returns a sentence for what the parser of AppArmor refuses */
export function globOf(text: string): Glob | string {
  if (text.length > LONGEST) return `a path is longer than ${LONGEST} characters`;
  const glob = text.replace(/(.)\/+(?=\/)/g, '$1');
  const steps: Step[] = [];
  /** The split that opens each group, and the ends of its alternatives so far. */
  const groups: { readonly split: number[]; readonly ends: number[][] }[] = [];
  let prefix: string | undefined;
  let literal = '';
  const wild = (): void => {
    prefix ??= literal;
  };
  const repeat = (step: Step): void => {
    // [split → step, after] [step] [split → back]
    const at = steps.length;
    steps.push({ is: 'split', to: [at + 1, at + 3] }, step, { is: 'split', to: [at] });
  };
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at]!;
    if (char === '\\') {
      const next = glob[at + 1];
      if (next === undefined) return 'a path ends with a backslash';
      steps.push({ is: 'char', char: next });
      literal += next;
      at++;
    } else if (char === '*') {
      wild();
      let stars = 1;
      while (glob[at + stars] === '*') stars++;
      const after = glob[at + stars];
      // A part of a path that is only stars has at least one character.
      if (glob[at - 1] === '/' && (after === undefined || after === '/')) steps.push({ is: 'any' });
      repeat(stars > 1 ? { is: 'deep' } : { is: 'any' });
      at += stars - 1;
    } else if (char === '?') {
      wild();
      steps.push({ is: 'any' });
    } else if (char === '[') {
      wild();
      const close = glob.indexOf(']', at + 2);
      if (close < 0) return 'a class of characters is not closed';
      steps.push({ is: 'class', body: glob.slice(at + 1, close) });
      at = close;
    } else if (char === '{') {
      wild();
      if (groups.length >= DEEPEST) return 'groups stand too deep inside each other';
      const split: number[] = [steps.length + 1];
      groups.push({ split, ends: [] });
      steps.push({ is: 'split', to: split });
    } else if (char === ',' && groups.length > 0) {
      const { split, ends } = groups.at(-1)!;
      const leave: number[] = [];
      ends.push(leave);
      steps.push({ is: 'split', to: leave });
      split.push(steps.length);
    } else if (char === '}') {
      const done = groups.pop();
      if (done === undefined) return 'a brace closes nothing';
      if (done.ends.length === 0) return 'a group has one alternative only';
      for (const leave of done.ends) leave.push(steps.length);
    } else {
      steps.push({ is: 'char', char });
      literal += char;
    }
  }
  if (groups.length > 0) return 'a group is not closed';
  steps.push({ is: 'end' });
  return { steps, prefix: prefix ?? literal };
}

/**
 * Whether a whole path matches.
 *
 * @param budget what is left is taken from; where nothing is left the answer is no, and the caller has to say so
 */
export function matchesGlob({ steps, prefix }: Glob, path: string, budget: Budget = { left: 1e7 }): boolean {
  if (budget.left <= 0 || !path.startsWith(prefix)) return false;
  const seen = new Int32Array(steps.length).fill(-1);
  let current: number[] = [];
  const reach = (to: number, time: number, into: number[]): void => {
    const stack = [to];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen[at] === time) continue;
      seen[at] = time;
      budget.left--;
      const step = steps[at]!;
      if (step.is === 'split') stack.push(...step.to);
      else into.push(at);
    }
  };
  reach(0, 0, current);
  for (let place = 0; place < path.length && current.length > 0; place++) {
    if (budget.left <= 0) return false;
    const next: number[] = [];
    for (const at of current) if (takes(steps[at]!, path[place]!)) reach(at + 1, place + 1, next);
    current = next;
  }
  return current.some(at => steps[at]!.is === 'end');
}

function takes(step: Step, char: string): boolean {
  switch (step.is) {
    case 'char':
      return step.char === char;
    case 'any':
      return char !== '/';
    case 'deep':
      return true;
    case 'class':
      return inClass(step.body, char);
    default:
      return false;
  }
}

/** As PCRE has it: a class that denies some characters takes the slash as well. */
function inClass(body: string, char: string): boolean {
  const isNot = body.startsWith('^');
  let found = false;
  for (let at = isNot ? 1 : 0; at < body.length; at++)
    if (body[at + 1] === '-' && at + 2 < body.length) {
      if (char >= body[at]! && char <= body[at + 2]!) found = true;
      at += 2;
    } else if (body[at] === char) found = true;
  return found !== isNot;
}
