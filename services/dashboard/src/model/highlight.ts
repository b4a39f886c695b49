// The words of a program's text, told apart for colouring. Runs in a thread of
// its own: a grammar that meets hostile text may take long.

import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import dockerfile from 'highlight.js/lib/languages/dockerfile';
import elixir from 'highlight.js/lib/languages/elixir';
import go from 'highlight.js/lib/languages/go';
import gradle from 'highlight.js/lib/languages/gradle';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import makefile from 'highlight.js/lib/languages/makefile';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import protobuf from 'highlight.js/lib/languages/protobuf';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import scala from 'highlight.js/lib/languages/scala';
import sql from 'highlight.js/lib/languages/sql';
import swift from 'highlight.js/lib/languages/swift';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';
import { createLowlight } from 'lowlight';

import type { Language } from './language';

export interface Token {
  text: string;
  // The grammar's first word for it, such as `keyword`; empty: nothing special.
  kind: string;
}

const grammars: Record<Language, Parameters<typeof lowlight.register>[1]> = {
  bash,
  c,
  cpp,
  csharp,
  css,
  dockerfile,
  elixir,
  go,
  gradle,
  ini,
  java,
  javascript,
  json,
  kotlin,
  makefile,
  markdown,
  php,
  protobuf,
  python,
  ruby,
  rust,
  scala,
  sql,
  swift,
  typescript,
  xml,
  yaml,
};
const lowlight = createLowlight(grammars);

type Node = ReturnType<typeof lowlight.highlight>['children'][number];

// The tokens of each line of `text`.
export function highlight(language: Language, text: string): Token[][] {
  const lines: Token[][] = [[]];
  const walk = (node: Node, kind: string) => {
    if (node.type === 'element') {
      const names = node.properties.className;
      const own = Array.isArray(names) ? String(names[0]) : '';
      for (const child of node.children) {
        walk(child, own.replace(/^hljs-/, '') || kind);
      }
    } else if (node.type === 'text') {
      node.value.split('\n').forEach((piece, i) => {
        if (i > 0) lines.push([]);
        if (piece) lines.at(-1)!.push({ text: piece, kind });
      });
    }
  };
  for (const node of lowlight.highlight(language, text).children) {
    walk(node, '');
  }
  return lines;
}
