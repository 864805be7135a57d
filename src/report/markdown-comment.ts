/** Comments on pull requests: text in which nothing acts, and lines as long as there is room for them. */
import { safe, shorten } from './safe.ts';

/** GitHub takes 65,536 characters. */
const LIMIT = 60_000;
/** Room for what closes the comment. */
const RESERVE = 1_000;
const CELL_LENGTH = 300;
const WORD_JOINER = '\u2060';

/**
 * Text in a table cell or list item: nothing of it may become markup, mathematics, a link, a mention or a reference.
 * The last three are made of the rendered text, where no escaping helps: an invisible character parts them.
 */
export function cell(text: string): string {
  return shorten(safe(text), CELL_LENGTH)
    .replace(/@(?=\w)|#(?=\d)|\bGH-(?=\d)|:(?=\/\/)|\bwww(?=\.)/gi, mark => mark + WORD_JOINER)
    .replace(/[\\`*_{}[\]()#+!|~]/g, character => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('$', '<span>$</span>');
}

/** Lines as long as there is room for them. */
export class Comment {
  readonly #lines: string[] = [];
  #size = 0;

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
    return `${this.#lines.join('\n')}\n`;
  }
}
