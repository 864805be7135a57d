/** Comments on pull requests: text in which nothing acts, and lines as long as there is room for them. */
import { safe, shorten } from './safe.ts';

/** GitHub takes 65,536 characters. */
const LIMIT = 60_000;
/** Room for the titles of folds, and what closes them. */
const RESERVE = 1_500;
const CELL_LENGTH = 300;
const WORD_JOINER = '\u2060';

/**
 * Text in a table cell or list item: nothing of it may become markup, mathematics, a link, a mention or a reference.
 * The last three are made of the rendered text, where no escaping helps: an invisible character parts them. Marks of
 * references: GitHub "Autolinked references and URLs", GitLab "GitLab-specific references".
 */
export function cell(text: string): string {
  return (
    shorten(safe(shorten(text, CELL_LENGTH)), CELL_LENGTH)
      .replace(/@(?=\w)|[#!%&^$](?=\d)|~(?=\w)|GH-(?=\d)|:(?=\/\/)|www(?=\.)/gi, mark => mark + WORD_JOINER)
      .replace(/[\\`*_{}[\]()#+!|~]/g, character => `\\${character}`)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('$', '<span>$</span>')
      // At its beginning: an indented block, a list in the list.
      .replace(/^\s+/, '')
      .replace(/^(\d+)\./, '$1\\.')
      .replace(/^[-=]/, '\\$&')
  );
}

/** Lines as long as there is room for them. */
export class Comment {
  readonly #lines: string[] = [];
  readonly #last: string;
  #size: number;

  /** @param last a line that closes the comment, and always has its room */
  constructor(last?: string) {
    this.#last = last === undefined ? '' : `\n${last}\n`;
    this.#size = this.#last.length;
  }

  add(...lines: readonly string[]): void {
    for (const line of lines) {
      this.#lines.push(line);
      this.#size += line.length + 1;
    }
  }

  /** Adds lines until one does not fit, and says how many did. */
  addWhatFits(lines: Iterable<string>): number {
    let added = 0;
    for (const line of lines) {
      if (this.#size + line.length + 1 > LIMIT - RESERVE) break;
      this.add(line);
      added++;
    }
    return added;
  }

  fold(title: string): void {
    this.add('', `<details><summary>${title}</summary>`, '');
  }

  unfold(): void {
    this.add('', '</details>');
  }

  text(): string {
    return `${this.#lines.join('\n')}\n${this.#last}`;
  }
}
