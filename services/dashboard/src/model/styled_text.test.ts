import { expect, test } from 'vitest';

import { styledText } from './styled_text';

test('plain text is one piece without a style', () => {
  expect(styledText('a <b>')).toEqual([{ text: 'a <b>', style: '' }]);
});

test('colours and weights become classes until they are reset', () => {
  expect(styledText('\x1b[1;31mbad\x1b[22m less\x1b[0m fine')).toEqual([
    { text: 'bad', style: 'sgr-red sgr-bold' },
    { text: ' less', style: 'sgr-red' },
    { text: ' fine', style: '' },
  ]);
  expect(styledText('\x1b[92mok\x1b[m.')).toEqual([
    { text: 'ok', style: 'sgr-green' },
    { text: '.', style: '' },
  ]);
});

test('free colours become the nearest of eight, and never a background', () => {
  const style = (code: string) => styledText(`\x1b[${code}mx`)[0]!.style;
  expect(style('38;5;196')).toBe('sgr-red');
  expect(style('38;2;20;200;30')).toBe('sgr-green');
  expect(style('38:2:20:30:200')).toBe('sgr-blue');
  expect(style('38;2;0;0;0')).toBe('');
  expect(style('48;2;0;0;0;4')).toBe('sgr-underline');
  expect(style('8')).toBe('');
});

test('what is no style is taken out as before', () => {
  expect(styledText('\x1b]8;;http://evil.test\x07l\x1b[31mink\x1b[2J')).toEqual(
    [
      { text: 'l', style: '' },
      { text: 'ink', style: 'sgr-red' },
    ],
  );
});
