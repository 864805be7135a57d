/** The directives in front of a document, and what they make of its tags. Source: go-yaml v2 parserc.go. */
import { StructureError } from './structure.ts';
import type { Token, Tokens } from './tokens.ts';

export class Directives {
  readonly #prefixes = new Map([
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ]);

  /** Takes the directives that come next. @throws StructureError for a version other than 1.1, or one stated twice */
  take(tokens: Tokens): void {
    const handles = new Set<string>();
    let hasVersion = false;
    for (;;) {
      const token = tokens.peek();
      if (token.kind === 'version') {
        if (hasVersion) throw new StructureError('%YAML stands here for the second time', token.start);
        if (token.text.split('.').some(part => Number(part) !== 1))
          throw new StructureError(`kubectl reads YAML 1.1, and refuses "%YAML ${token.text}"`, token.start);
        hasVersion = true;
      } else if (token.kind === 'tag directive') {
        if (handles.has(token.text))
          throw new StructureError(`%TAG ${token.text} stands here for the second time`, token.start);
        handles.add(token.text);
        this.#prefixes.set(token.text, token.suffix);
      } else return;
      tokens.take();
    }
  }

  /** A tag with its prefix spelt out. @throws StructureError for a handle that no directive states */
  longForm({ text: handle, suffix, start }: Token): string {
    if (handle === '') return suffix;
    const prefix = this.#prefixes.get(handle);
    if (prefix === undefined)
      throw new StructureError(`no %TAG directive explains the tag "${handle}"`, start);
    return prefix + suffix;
  }
}
