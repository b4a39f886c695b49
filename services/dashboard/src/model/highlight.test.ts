import { expect, test } from 'vitest';

import { highlight } from './highlight';
import { languageOf } from './language';

test('a language is known by the ending or by the whole name', () => {
  expect(languageOf('src/app.PY')).toBe('python');
  expect(languageOf('Dockerfile')).toBe('dockerfile');
  expect(languageOf('a.d/LICENSE')).toBe(null);
});

test('tokens stand line by line and lose nothing', () => {
  const text = 'def f():\n    """a\n    b"""\n    return "<b>"';
  const lines = highlight('python', text);
  expect(
    lines.map((line) => line.map((token) => token.text).join('')).join('\n'),
  ).toBe(text);
  expect(lines[0]![0]).toEqual({ text: 'def', kind: 'keyword' });
  expect(lines[2]!.at(-1)!.kind).toBe('string');
  expect(lines[3]!.at(-1)).toEqual({ text: '"<b>"', kind: 'string' });
});
