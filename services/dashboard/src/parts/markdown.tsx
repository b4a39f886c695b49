import { useMemo } from 'react';

import { type Block, type Inline, parseMarkdown } from '../model/markdown';

// A brief, as its author meant it to look. `level` is that of the page's
// heading above it, so that the page's headings stay in order.
export function Markdown({ text, level }: { text: string; level: number }) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return (
    <div className="markdown">
      <Blocks blocks={blocks} level={level} />
    </div>
  );
}

function Blocks({ blocks, level }: { blocks: Block[]; level: number }) {
  return blocks.map((block, i) => (
    <OneBlock key={i} block={block} level={level} />
  ));
}

function OneBlock({ block, level }: { block: Block; level: number }) {
  switch (block.kind) {
    case 'heading': {
      const depth = Math.min(6, level + block.level);
      const Heading = `h${depth}` as 'h2' | 'h3' | 'h4' | 'h5' | 'h6';
      return (
        <Heading>
          <Inlines parts={block.children} />
        </Heading>
      );
    }
    case 'paragraph':
      return (
        <p>
          <Inlines parts={block.children} />
        </p>
      );
    case 'code':
      return <pre tabIndex={0}>{block.text}</pre>;
    case 'rule':
      return <hr />;
    case 'quote':
      return (
        <blockquote>
          <Blocks blocks={block.children} level={level} />
        </blockquote>
      );
    case 'list': {
      const List = block.ordered ? 'ol' : 'ul';
      return (
        <List>
          {block.items.map((item, i) => (
            <li key={i}>
              <Blocks blocks={item} level={level} />
            </li>
          ))}
        </List>
      );
    }
    case 'table':
      return <Table head={block.head} rows={block.rows} />;
  }
}

function Table({ head, rows }: { head: Inline[][]; rows: Inline[][][] }) {
  return (
    <div className="table-scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((cell, i) => (
              <th scope="col" key={i}>
                <Inlines parts={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (
                <td key={j}>
                  <Inlines parts={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Inlines({ parts }: { parts: Inline[] }) {
  return parts.map((part, i) => {
    switch (part.kind) {
      case 'text':
        return part.text;
      case 'code':
        return <code key={i}>{part.text}</code>;
      case 'strong':
        return (
          <strong key={i}>
            <Inlines parts={part.children} />
          </strong>
        );
      case 'emphasis':
        return (
          <em key={i}>
            <Inlines parts={part.children} />
          </em>
        );
      case 'link':
        return (
          <a key={i} href={part.href} target="_blank" rel="noopener noreferrer">
            <Inlines parts={part.children} />
          </a>
        );
    }
  });
}
