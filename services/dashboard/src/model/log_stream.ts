// One output of a run, put together from chunks: lines of safe text.

import { cleanText } from './clean_text';

// A line beyond this is cut, so that one endless line cannot stall the page.
const MAX_LINE = 10_000;

export class LogStream {
  readonly lines: string[] = [];
  // A sentence after the last line when the output did not end by itself.
  note = '';
  #decoder = new TextDecoder();
  #next = 0n;
  #open = '';
  #lastIsOpen = false;

  // Takes the bytes at `offset`; what was seen before is left out, so a chunk
  // that is sent again after a reconnect changes nothing.
  append(offset: bigint, content: Uint8Array) {
    const end = offset + BigInt(content.length);
    if (end <= this.#next) return;
    if (offset < this.#next) {
      content = content.subarray(Number(this.#next - offset));
    } else if (offset > this.#next) {
      this.#add(`[${offset - this.#next} bytes are missing here]\n`);
    }
    this.#next = end;
    this.#add(this.#decoder.decode(content, { stream: true }));
  }

  get bytes(): bigint {
    return this.#next;
  }

  #add(text: string) {
    if (this.#lastIsOpen) this.lines.pop();
    const parts = (this.#open + text).split('\n');
    // Bounded before it is kept: an endless line is stored cut.
    this.#open = (parts.pop() ?? '').slice(0, MAX_LINE + 1);
    for (const part of parts) this.lines.push(lineOf(part));
    this.#lastIsOpen = this.#open !== '';
    if (this.#lastIsOpen) this.lines.push(lineOf(this.#open));
  }
}

function lineOf(raw: string): string {
  const line = cleanText(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)} […]` : line;
}
