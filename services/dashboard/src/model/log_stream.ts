// One output of a run, put together from chunks: lines as they came, made safe
// when they are read.

import { cleanText } from './clean_text';
import { type StyledPiece, styledText } from './styled_text';

// A line beyond this is cut, so that one endless line cannot stall the page.
const MAX_LINE = 10_000;

export class LogStream {
  // A sentence after the last line when the output did not end by itself.
  note = '';
  // Whether some bytes were no UTF-8, and are shown as marks.
  odd = false;
  readonly #raw: string[] = [];
  readonly #content: Uint8Array[] = [];
  // When what was read, in order: the line that it began with.
  readonly #read: { time: number; line: number }[] = [];
  #decoder = new TextDecoder();
  #next = 0n;
  #open = '';
  #lastIsOpen = false;

  // Takes the bytes at `offset`; what was seen before is left out, so a chunk
  // that is sent again after a reconnect changes nothing.
  // `time` is when it was read, in milliseconds since 1970.
  append(offset: bigint, content: Uint8Array, time: number | null = null) {
    const end = offset + BigInt(content.length);
    if (end <= this.#next) return;
    if (offset < this.#next) {
      content = content.subarray(Number(this.#next - offset));
    } else if (offset > this.#next) {
      this.#add(`[${offset - this.#next} bytes are missing here]\n`);
    }
    this.#next = end;
    if (time !== null) {
      // What is added continues a line that is not ended.
      const line = this.count - (this.#lastIsOpen ? 1 : 0);
      this.#read.push({ time, line });
    }
    this.#content.push(content);
    const text = this.#decoder.decode(content, { stream: true });
    this.odd ||= text.includes('\ufffd');
    this.#add(text);
  }

  get bytes(): bigint {
    return this.#next;
  }

  get count(): number {
    return this.#raw.length;
  }

  // Line `index`, from 0, without anything that is no text.
  text(index: number): string {
    return cut(cleanText(this.#raw[index]!));
  }

  pieces(index: number): StyledPiece[] {
    return styledText(cut(this.#raw[index]!));
  }

  // Lines from `from` to `to` - 1 that hold `query`: in any case, unless it has
  // capital letters itself.
  find(query: string, from: number, to: number): number[] {
    const found = [];
    const exact = query !== query.toLowerCase();
    for (let i = from; i < Math.min(to, this.count); i++) {
      const raw = this.#raw[i]!;
      const text = raw.includes('\x1b') ? this.text(i) : raw;
      if ((exact ? text : text.toLowerCase()).includes(query)) found.push(i);
    }
    return found;
  }

  // The lines that were read from one time to another: `first` to `end` - 1.
  writtenBetween(from: number, to: number): { first: number; end: number } {
    const first = this.#read.find(({ time }) => time >= from);
    if (!first || first.time > to) return { first: 0, end: 0 };
    const after = this.#read.find(({ time }) => time > to);
    return { first: first.line, end: after ? after.line : this.count };
  }

  // As the program wrote it.
  asFile(): Blob {
    return new Blob(this.#content as BlobPart[], { type: 'text/plain' });
  }

  #add(text: string) {
    if (this.#lastIsOpen) this.#raw.pop();
    // A lone return starts a line of its own: shown as a terminal does, it would
    // cover what stood there.
    const parts = (this.#open + text).split(/\r?\n|\r(?=[^\n])/);
    // Bounded before it is kept: an endless line is stored cut.
    this.#open = (parts.pop() ?? '').slice(0, 2 * MAX_LINE);
    for (const part of parts) this.#raw.push(part.slice(0, 2 * MAX_LINE));
    this.#lastIsOpen = this.#open !== '';
    if (this.#lastIsOpen) this.#raw.push(this.#open);
  }
}

function cut(line: string): string {
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)} […]` : line;
}
