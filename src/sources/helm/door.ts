/** The library's door `sallyport/helm`: one template, the coalescing of values, a whole chart. */
import { capabilities, filesOf } from './capabilities.ts';
import { fromPlain } from './read-values.ts';
import { renderAll, type Renderable } from './engine.ts';
import { setValues } from './set-values.ts';
import { bytesOf, GoMap, int, type Value, wellFormed } from './value.ts';

/**
 * Renders one template in a small chart named `t`, as Release `rel` in the namespace `ns`. Throws an Error whose
 * message is helm's.
 */
export function renderTemplate(input: {
  readonly template: string;
  readonly helpers?: readonly string[];
  readonly values: object;
  readonly set?: readonly string[];
}): { text: string; bytes: Uint8Array } {
  const values = fromPlain(input.values);
  const data = new GoMap(values instanceof GoMap ? values.entries : new Map(), 'common.Values');
  for (const text of input.set ?? []) setValues(text, data);
  const top = (): GoMap =>
    new GoMap(
      new Map<string, Value>([
        [
          'Chart',
          new GoMap(
            new Map<string, Value>([
              ['Name', 't'],
              ['Home', ''],
              ['Sources', null],
              ['Version', '0.1.0'],
              ['Description', 'synthetic'],
              ['Keywords', null],
              ['Maintainers', null],
              ['Icon', ''],
              ['APIVersion', 'v2'],
              ['Condition', ''],
              ['Tags', ''],
              ['AppVersion', '1.0'],
              ['Deprecated', false],
              ['Annotations', null],
              ['KubeVersion', ''],
              ['Dependencies', null],
              ['Type', ''],
              ['IsRoot', true],
            ]),
          ),
        ],
        [
          'Release',
          new GoMap(
            new Map<string, Value>([
              ['Name', 'rel'],
              ['Namespace', 'ns'],
              ['IsUpgrade', false],
              ['IsInstall', true],
              ['Revision', int(1)],
              ['Service', 'Helm'],
            ]),
          ),
        ],
        ['Capabilities', capabilities()],
        [
          'Files',
          filesOf([
            ['config/a.txt', 'alpha\nbeta\n'],
            ['config/b.json', '{"k": [1, 2.5, "x"]}'],
            ['empty.txt', ''],
          ]),
        ],
        ['Subcharts', new GoMap()],
        ['Values', data],
      ]),
    );
  const templates = new Map<string, Renderable>([
    ['t/templates/case.yaml', { text: input.template, values: top(), basePath: 't/templates' }],
  ]);
  (input.helpers ?? []).forEach((text, at) => {
    templates.set(`t/templates/_h${at}.tpl`, { text, values: top(), basePath: 't/templates' });
  });
  const text = renderAll(templates).get('t/templates/case.yaml')?.text ?? '';
  return { text: wellFormed(text), bytes: bytesOf(text) };
}
