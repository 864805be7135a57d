/** What Git leaves in a file where two sides could not be joined. Source: git-merge(1), "How conflicts are presented". */

/**
 * The line of the first mark of a conflict, counted from 1; undefined where there is none. Asked of texts that are not
 * valid: inside a text of a document such lines mean nothing.
 */
export function conflictIn(text: string): number | undefined {
  const at = text.search(/^<{7}(?: |\r?$)/m);
  if (at < 0 || !/^={7}\r?$/m.test(text.slice(at)) || !/^>{7}(?: |\r?$)/m.test(text.slice(at)))
    return undefined;
  let line = 1;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1)) line++;
  return line;
}

export const CONFLICT = 'a merge conflict that was not resolved';
