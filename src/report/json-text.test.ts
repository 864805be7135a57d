import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonText } from './json-text.ts';

describe('jsonText', () => {
  const odd =
    '##[error]x ###[ ##vso[y \\## \u001b \u202e \u00ad \u{e0041} \ufe0f \u034f \u180b \ufffe \ud800 \n end';

  it('holds the same values', () => {
    const value = { [odd]: [odd, 1, null, { a: '#' }] };
    assert.deepEqual(JSON.parse(jsonText(value)), value);
  });

  it('holds nothing that a terminal or a runner would act on', () => {
    assert.doesNotMatch(
      jsonText(odd),
      /##|[\u0000-\u0009\u000b-\u001f\u007f\u00ad\u202e\ufffe]|\u034f|\u180b|\ufe0f|\u{e0041}|\p{Cs}/u,
    );
  });

  it('writes large numbers exactly', () => {
    assert.equal(jsonText([9007199254740993n]), '[\n  9007199254740993\n]\n');
  });
});
