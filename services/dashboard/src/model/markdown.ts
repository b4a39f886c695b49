// The part of Markdown that briefs are written in, as a tree of blocks. HTML in
// it is text; links lead to the web or nowhere; pictures are their description.

import { cleanText } from './clean_text';

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong' | 'emphasis'; children: Inline[] }
  | { kind: 'link'; href: string; children: Inline[] };

export type Block =
  | { kind: 'heading'; level: number; children: Inline[] }
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'rule' }
  | { kind: 'quote'; children: Block[] }
  | { kind: 'list'; ordered: boolean; items: Block[][] }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] };

const FENCE = /^ {0,3}(```|~~~)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3}(?:[-*+]|\d{1,9}[.)])\s+)(.*)$/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const MAX_DEPTH = 8;

export function parseMarkdown(text: string): Block[] {
  return blocksOf(cleanText(text.replaceAll('\r\n', '\n')).split('\n'), 0);
}

function blocksOf(lines: string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    const heading = HEADING.exec(line);
    if (line.trim() === '') {
      at++;
    } else if (heading) {
      const children = parseInline(heading[2]!);
      blocks.push({ kind: 'heading', level: heading[1]!.length, children });
      at++;
    } else if (FENCE.test(line) || line.startsWith('    ')) {
      at = takeCode(lines, at, blocks);
    } else if (RULE.test(line)) {
      blocks.push({ kind: 'rule' });
      at++;
    } else if (QUOTE.test(line) && depth < MAX_DEPTH) {
      at = takeQuote(lines, at, blocks, depth);
    } else if (ITEM.test(line) && depth < MAX_DEPTH) {
      at = takeList(lines, at, blocks, depth);
    } else if (line.includes('|') && TABLE_LINE.test(lines[at + 1] ?? '')) {
      at = takeTable(lines, at, blocks);
    } else {
      at = takeParagraph(lines, at, blocks);
    }
  }
  return blocks;
}

function takeCode(lines: string[], at: number, blocks: Block[]): number {
  const fence = FENCE.exec(lines[at]!)?.[1];
  let end = at + (fence ? 1 : 0);
  const isCode = (line: string) =>
    fence ? !line.trimStart().startsWith(fence) : /^( {4}|\s*$)/.test(line);
  const start = end;
  while (end < lines.length && isCode(lines[end]!)) end++;
  const taken = lines.slice(start, end);
  const text = fence ? taken : taken.map((line) => line.slice(4));
  blocks.push({ kind: 'code', text: text.join('\n').trimEnd() });
  return end + (fence ? 1 : 0);
}

function takeQuote(
  lines: string[],
  at: number,
  blocks: Block[],
  depth: number,
): number {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end]!)) end++;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ''));
  blocks.push({ kind: 'quote', children: blocksOf(inner, depth + 1) });
  return end;
}

function takeList(
  lines: string[],
  at: number,
  blocks: Block[],
  depth: number,
): number {
  const ordered = /^\s*\d/.test(lines[at]!);
  const items: Block[][] = [];
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]!);
    if (!item || /^\s*\d/.test(lines[at]!) !== ordered) break;
    const inner = [item[2]!];
    const indent = new RegExp(`^ {1,${item[1]!.length}}`);
    // Indented lines, and lines that go on without one, belong to the item.
    for (at++; at < lines.length; at++) {
      const line = lines[at]!;
      const goesOn = line.trim() !== '' && inner.at(-1)!.trim() !== '';
      const blank = line.trim() === '' && /^ {2,}\S/.test(lines[at + 1] ?? '');
      if (ITEM.test(line) && !line.startsWith('  ')) break;
      if (!/^ {2,}\S/.test(line) && !goesOn && !blank) break;
      inner.push(line.replace(indent, ''));
    }
    items.push(blocksOf(inner, depth + 1));
    // A blank line may stand between items.
    if (lines[at]?.trim() === '' && ITEM.test(lines[at + 1] ?? '')) at++;
  }
  blocks.push({ kind: 'list', ordered, items });
  return at;
}

function takeTable(lines: string[], at: number, blocks: Block[]): number {
  const head = cellsOf(lines[at]!);
  let end = at + 2;
  while (end < lines.length && lines[end]!.includes('|')) end++;
  const rows = lines.slice(at + 2, end).map(cellsOf);
  blocks.push({ kind: 'table', head, rows });
  return end;
}

function cellsOf(line: string): Inline[][] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => parseInline(cell.trim()));
}

function takeParagraph(lines: string[], at: number, blocks: Block[]): number {
  let end = at + 1;
  const starts = [FENCE, HEADING, RULE, QUOTE, ITEM];
  while (
    end < lines.length &&
    lines[end]!.trim() !== '' &&
    !starts.some((start) => start.test(lines[end]!))
  ) {
    end++;
  }
  const text = lines.slice(at, end).join('\n');
  blocks.push({ kind: 'paragraph', children: parseInline(text) });
  return end;
}

// Bounded lengths keep what matches nothing from being read again and again.
const INLINE = new RegExp(
  [
    '`([^`]{1,500})`',
    '\\*\\*([^*]{1,500})\\*\\*',
    '\\*([^*\\s][^*]{0,500})\\*',
    '!\\[([^\\]]{0,300})\\]\\([^)]{0,2000}\\)',
    '\\[([^\\]]{1,300})\\]\\(([^)\\s]{1,2000})\\)',
    '<(https?://[^>\\s]{1,2000})>',
  ].join('|'),
);

export function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index > 0) {
      parts.push({ kind: 'text', text: rest.slice(0, found.index) });
    }
    parts.push(inlineOf(found));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) parts.push({ kind: 'text', text: rest });
  return parts;
}

function inlineOf(found: RegExpExecArray): Inline {
  const [whole, code, strong, emphasis, picture, label, href, address] = found;
  if (code !== undefined) return { kind: 'code', text: code };
  if (strong !== undefined) {
    return { kind: 'strong', children: parseInline(strong) };
  }
  if (emphasis !== undefined) {
    return { kind: 'emphasis', children: parseInline(emphasis) };
  }
  if (picture !== undefined) return { kind: 'text', text: picture };
  const target = href ?? address ?? '';
  const children: Inline[] = [{ kind: 'text', text: label ?? target }];
  if (/^https?:\/\//i.test(target))
    return { kind: 'link', href: target, children };
  return { kind: 'text', text: label ?? whole };
}
