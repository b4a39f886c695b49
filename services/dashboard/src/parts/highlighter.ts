// Asks the thread that tells words apart, one question after the other.

import type { HighlightAnswer, HighlightQuestion } from '../highlight_worker';
import type { Token } from '../model/highlight';
import type { Language } from '../model/language';

// A text that takes longer stays without colours.
const PATIENCE = 2_000;

interface Waiting {
  language: Language;
  texts: string[];
  signal: AbortSignal;
  done: (tokens: Token[][][] | null) => void;
}

class Highlighter {
  #worker: Worker | null = null;
  #waiting: Waiting[] = [];
  #asked: Waiting | null = null;
  #number = 0;
  #timer = 0;

  // Null where it took too long or was no longer wanted.
  ask(language: Language, texts: string[], signal: AbortSignal) {
    return new Promise<Token[][][] | null>((done) => {
      this.#waiting.push({ language, texts, signal, done });
      this.#next();
    });
  }

  #next() {
    if (this.#asked) return;
    const next = this.#waiting.shift();
    if (!next) return;
    if (next.signal.aborted) {
      next.done(null);
      this.#next();
      return;
    }
    this.#asked = next;
    const question: HighlightQuestion = {
      number: ++this.#number,
      language: next.language,
      texts: next.texts,
    };
    this.#thread().postMessage(question);
    this.#timer = window.setTimeout(() => this.#giveUp(), PATIENCE);
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(
      new URL('../highlight_worker.ts', import.meta.url),
      { type: 'module' },
    );
    worker.onmessage = ({ data }: MessageEvent<HighlightAnswer>) => {
      if (data.number === this.#number) this.#answer(data.tokens);
    };
    worker.onerror = () => this.#giveUp();
    return (this.#worker = worker);
  }

  // A grammar cannot be interrupted: its thread is ended with it.
  #giveUp() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#answer(null);
  }

  #answer(tokens: Token[][][] | null) {
    clearTimeout(this.#timer);
    const asked = this.#asked;
    this.#asked = null;
    asked?.done(tokens);
    this.#next();
  }
}

export const highlighter = new Highlighter();
