// A line of terminal output as pieces of safe text, each with the style that
// SGR sequences gave it. Styles are class names out of a fixed list: a program
// must not choose colours freely, or it could write in the page's own
// background and hide text from whoever reads it.

import { cleanText } from './clean_text';

export interface StyledPiece {
  text: string;
  // Space-separated class names; empty for plain text.
  style: string;
}

interface Style {
  color: number | null;
  bold: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
}

const PLAIN: Style = {
  color: null,
  bold: false,
  italic: false,
  underline: false,
  inverse: false,
};

// eslint-disable-next-line no-control-regex
const SGR = /\x1b\[([0-9;:]*)m/g;

// Styles do not reach into the next line: lines are drawn one by one.
export function styledText(raw: string): StyledPiece[] {
  if (!raw.includes('\x1b')) return [{ text: cleanText(raw), style: '' }];
  const pieces: StyledPiece[] = [];
  let style = PLAIN;
  let from = 0;
  const add = (text: string) => {
    const clean = cleanText(text);
    if (clean) pieces.push({ text: clean, style: classesOf(style) });
  };
  for (const found of raw.matchAll(SGR)) {
    add(raw.slice(from, found.index));
    from = found.index + found[0].length;
    style = changed(style, found[1]!);
  }
  add(raw.slice(from));
  return pieces;
}

function changed(before: Style, parameters: string): Style {
  const style = { ...before };
  const codes = parameters.split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) Object.assign(style, PLAIN);
    else if (code === 1) style.bold = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 7) style.inverse = true;
    else if (code === 22) style.bold = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code === 27) style.inverse = false;
    else if (code >= 30 && code <= 37) style.color = code - 30;
    else if (code === 39) style.color = null;
    else if (code >= 90 && code <= 97) style.color = code - 90;
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes.slice(i + 1));
      if (code === 38) style.color = color;
      i += used;
    }
  }
  return style;
}

// The colour of "5;N" or "2;R;G;B" as one of the eight, and how many codes that
// took.
function extended(codes: number[]): [number | null, number] {
  if (codes[0] === 5) return [ofPalette(codes[1] ?? 0), 2];
  if (codes[0] !== 2) return [null, 0];
  const [red = 0, green = 0, blue = 0] = codes.slice(1);
  return [nearest(red, green, blue), 4];
}

// xterm's 256: 16 named ones, a cube of 6 x 6 x 6, and 24 greys.
function ofPalette(index: number): number | null {
  if (index < 16) return index % 8;
  if (index >= 232) return null;
  const cube = index - 16;
  const level = (part: number) => (part % 6) * 51;
  return nearest(
    level(Math.floor(cube / 36)),
    level(Math.floor(cube / 6)),
    level(cube),
  );
}

// By which of red, green and blue are strong; grey is no colour.
function nearest(red: number, green: number, blue: number): number | null {
  const most = Math.max(red, green, blue);
  if (most - Math.min(red, green, blue) < 32) return null;
  const strong = (part: number) => (part > most * 0.6 ? 1 : 0);
  return strong(red) + 2 * strong(green) + 4 * strong(blue);
}

const COLORS = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
];

function classesOf(style: Style): string {
  const classes = [];
  if (style.color !== null) classes.push(`sgr-${COLORS[style.color]}`);
  if (style.bold) classes.push('sgr-bold');
  if (style.italic) classes.push('sgr-italic');
  if (style.underline) classes.push('sgr-underline');
  if (style.inverse) classes.push('sgr-inverse');
  return classes.join(' ');
}
