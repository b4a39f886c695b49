// Text that candidates wrote, made safe to show as text: terminal sequences are
// taken out, and what could hide or reorder other text is made visible.

/* eslint-disable no-control-regex */
const CSI = /\x1b\[[0-?]*[ -/]*[@-~]/g;
const STRING = /\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)/g;
const OTHER_ESCAPE = /\x1b[ -/]*[0-~]?/g;
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// Any of them. Nearly all text has none.
const ODD =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/* eslint-enable no-control-regex */

export function cleanText(text: string): string {
  if (!ODD.test(text)) return text;
  return text
    .replace(CSI, '')
    .replace(STRING, '')
    .replace(OTHER_ESCAPE, '')
    .replace(CONTROL, (character) => {
      const code = character.charCodeAt(0).toString(16);
      return `\\x${code.padStart(2, '0')}`;
    })
    .replace(BIDI, (character) => {
      const code = character.charCodeAt(0).toString(16).toUpperCase();
      return `⟨U+${code.padStart(4, '0')}⟩`;
    });
}
