import fs from 'node:fs';

import { expect, test } from 'vitest';

import {
  type Block,
  type Inline,
  parseInline,
  parseMarkdown,
} from './markdown';

const text = (value: string): Inline => ({ kind: 'text', text: value });
const kinds = (blocks: Block[]) => blocks.map((block) => block.kind);

test('headings, paragraphs, lists, code and tables are told apart', () => {
  const blocks = parseMarkdown(
    '# One\n\nTwo\nlines.\n\n- a\n- b\n  more\n\n1. x\n\n```\ncode | here\n```\n\n| h |\n| --- |\n| c |\n',
  );
  expect(kinds(blocks)).toEqual([
    'heading',
    'paragraph',
    'list',
    'list',
    'code',
    'table',
  ]);
  expect(blocks[4]).toEqual({ kind: 'code', text: 'code | here' });
});

test('an item keeps the line that goes on below it', () => {
  const [list] = parseMarkdown('- a\n  more\n- b');
  expect(list).toEqual({
    kind: 'list',
    ordered: false,
    items: [
      [{ kind: 'paragraph', children: [text('a\nmore')] }],
      [{ kind: 'paragraph', children: [text('b')] }],
    ],
  });
});

test('text in a line is code, strong, emphasis or a link', () => {
  expect(parseInline('a `b*c*` **d** *e* [f](https://g.test)')).toEqual([
    text('a '),
    { kind: 'code', text: 'b*c*' },
    text(' '),
    { kind: 'strong', children: [text('d')] },
    text(' '),
    { kind: 'emphasis', children: [text('e')] },
    text(' '),
    { kind: 'link', href: 'https://g.test', children: [text('f')] },
  ]);
});

test('nothing but a web address becomes a link', () => {
  for (const href of [
    'javascript:alert`1`',
    'data:text/html,x',
    '//g.test',
    'JaVaScRiPt:x',
  ]) {
    expect(parseInline(`[f](${href})`)).toEqual([text('f')]);
  }
});

test('HTML and pictures stay text', () => {
  expect(parseInline('<img src=x onerror=y>')).toEqual([
    text('<img src=x onerror=y>'),
  ]);
  expect(parseInline('![a pixel](http://g.test/p.png)')).toEqual([
    text('a pixel'),
  ]);
});

test('odd input ends, and quickly', () => {
  const began = performance.now();
  for (const piece of ['*', '[', '> ', '- ', '`', '|', '[a](', '**a', '    ']) {
    parseMarkdown(piece.repeat(5000));
    parseMarkdown(`${piece}\n`.repeat(5000));
  }
  expect(performance.now() - began).toBeLessThan(5000);
});

test("the sample's brief is understood whole", () => {
  const file = new URL(
    '../../../../docs/examples/orders-api/brief.md',
    import.meta.url,
  );
  const blocks = parseMarkdown(fs.readFileSync(file, 'utf8'));
  expect(kinds(blocks).filter((kind) => kind === 'table')).toHaveLength(2);
  const list = blocks.find((block) => block.kind === 'list' && block.ordered);
  expect(list?.kind === 'list' && list.items).toHaveLength(7);
});
