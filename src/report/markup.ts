/** Text in XML and HTML. */
import { safe } from './safe.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** For text and quoted attributes alike. What XML cannot hold at all is shown by {@link safe} before. */
export function xml(text: string): string {
  return safe(text).replace(/[&<>"']/g, character => ENTITIES[character]!);
}
