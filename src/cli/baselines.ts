/** The baseline's file, and what of it a run can tell to be gone. */
import { existsSync, readFileSync } from 'node:fs';
import { idOf } from '#check/check.ts';
import {
  type BaselineEntry,
  BaselineError,
  parseBaseline,
  resolveConflicts,
  type Unconflicted,
} from '#judge/baseline.ts';
import type { Parsed } from './command.ts';
import { UsageError } from './errors.ts';
import { type Judging, unjudgedOf } from './judging.ts';

/** @throws UsageError where there is none, or it cannot be understood */
export function readBaseline(file: string): BaselineEntry[] {
  const text = textOf(file);
  return understood(file, () => parseBaseline(text));
}

/**
 * Reads a baseline in the midst of a merge too.
 *
 * @throws UsageError where there is none, or it cannot be understood
 */
export function readMerged(file: string): Omit<Unconflicted, 'text'> & { entries: BaselineEntry[] } {
  const text = textOf(file);
  return understood(file, () => {
    const { text: merged, ...rest } = resolveConflicts(text);
    return { ...rest, entries: parseBaseline(merged) };
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UsageError(
      absent
        ? `${file}: there is no such baseline`
        : `${file} could not be read: ${(error as Error).message}`,
      absent ? 'sallyport baseline create makes one' : undefined,
    );
  }
}

function understood<Value>(file: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof BaselineError)
      throw new UsageError(`${file}:${error.line}: ${error.message}`, error.hint);
    throw error;
  }
}

/** What a run can say of the entries of a baseline. */
export interface Reach {
  /** Its check ran, and its file is below the paths that were named. */
  isAsked(entry: BaselineEntry): boolean;
  /** Its file was read and judged, or is not there any more: an entry that matches nothing is mended. */
  isJudged(entry: BaselineEntry): boolean;
}

export function reachOf(judging: Judging, parsed: Parsed): Reach {
  const ran = new Set(judging.selected.map(({ check }) => idOf(check)));
  const read = new Map(judging.manifests.files.map(({ file, understood }) => [file, understood]));
  const unjudged = unjudgedOf(judging);
  // Of what is rendered, only a part was looked at.
  const isPart = parsed.has('environment') || parsed.has('no-hooks');
  return {
    isAsked: ({ check, file }) => ran.has(check) && isBelow(file, parsed.operands),
    isJudged: ({ check, file }) => {
      const how = read.get(file);
      if (how === undefined) return !existsSync(file);
      return !(isPart && how !== 'kubernetes') && !unjudged.isAt(check, name => name === file);
    },
  };
}

function isBelow(file: string, operands: readonly string[]): boolean {
  if (operands.length === 0) return true;
  return operands.some(operand => {
    const folder = operand.replace(/^\.\//, '').replace(/\/$/, '');
    return folder === '.' || folder === '' || file === folder || file.startsWith(`${folder}/`);
  });
}
