// The thread that tells words apart: a question with texts, an answer with the
// tokens of their lines. What hangs is ended by whoever asked.

import { highlight, type Token } from './model/highlight';
import type { Language } from './model/language';

export interface HighlightQuestion {
  number: number;
  language: Language;
  texts: string[];
}
export interface HighlightAnswer {
  number: number;
  // Of each text, of each line.
  tokens: Token[][][];
}

self.onmessage = ({ data }: MessageEvent<HighlightQuestion>) => {
  const { number, language, texts } = data;
  const tokens = texts.map((text) => highlight(language, text));
  self.postMessage({ number, tokens } satisfies HighlightAnswer);
};
