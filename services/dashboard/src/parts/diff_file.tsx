import { useMemo, useState } from 'react';

import {
  type FileChange,
  FileChange_Kind,
} from '../gen/assay/v1/source_service_pb';
import { cleanText } from '../model/clean_text';
import {
  type DiffLine,
  diffLines,
  type SplitRow,
  splitRows,
} from '../model/diff_lines';
import { type Tokens, useHighlight } from './use_highlight';

interface Props {
  file: FileChange;
  id: string;
  split: boolean;
  // Whether it is too long to be shown before it is asked for.
  long: boolean;
}

export function DiffFile({ file, id, split, long }: Props) {
  const changed = file.addedLines + file.removedLines;
  const [open, setOpen] = useState(!long);
  return (
    <section className="diff-file" id={id} aria-label={pathOf(file)}>
      <header>
        <button
          type="button"
          className="twist"
          aria-expanded={open}
          aria-label={open ? 'Fold' : 'Unfold'}
          onClick={() => setOpen(!open)}
        >
          {open ? '▾' : '▸'}
        </button>
        <h3 className="mono">{title(file)}</h3>
        {modeNote(file) && <span className="tag">{modeNote(file)}</span>}
        <span className="muted">{kindWord(file)}</span>
        <Counts added={file.addedLines} removed={file.removedLines} />
      </header>
      {open && <Body file={file} split={split} />}
      {!open && long && (
        <p className="muted">
          {changed} lines changed.{' '}
          <button type="button" className="link" onClick={() => setOpen(true)}>
            Show them
          </button>
        </p>
      )}
    </section>
  );
}

export function Counts({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="diff-counts number">
      <span className="added">+{added}</span>{' '}
      <span className="removed">−{removed}</span>
    </span>
  );
}

function Body({ file, split }: { file: FileChange; split: boolean }) {
  const lines = useMemo(() => diffLines(file.patch), [file]);
  const tokens = useHighlight(file.newPath || file.oldPath, lines);
  if (file.binary) {
    return (
      <p className="muted">A binary file, or one too large to be compared.</p>
    );
  }
  if (lines.length === 0) return <p className="muted">{emptyText(file)}</p>;
  return (
    <>
      {!isUtf8(file.patch) && (
        <p className="muted">
          Some of its bytes are no UTF-8; each stands here as {'\uFFFD'}.
        </p>
      )}
      <div className="diff-scroll" tabIndex={0}>
        <table className={split ? 'diff split' : 'diff'}>
          {split && (
            <colgroup>
              <col className="at" />
              <col />
              <col className="at" />
              <col />
            </colgroup>
          )}
          <tbody>
            {split
              ? splitRows(lines).map((row, i) => (
                  <Split key={i} row={row} tokens={tokens} />
                ))
              : lines.map((line, i) => (
                  <Unified key={i} line={line} tokens={tokens} />
                ))}
          </tbody>
        </table>
      </div>
      {file.truncated && (
        <p className="notice warn">
          The rest of this file is too long to be shown here; clone the
          repository to read all of it.
        </p>
      )}
    </>
  );
}

function emptyText(file: FileChange): string {
  if (file.kind === FileChange_Kind.RENAMED) return 'Renamed; no line changed.';
  if (file.kind === FileChange_Kind.ADDED) return 'An empty file.';
  return 'No lines changed.';
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

interface LineProps {
  line: DiffLine;
  tokens: Tokens;
}

// The same characters, coloured where the language is known.
function LineText({ line, tokens }: LineProps) {
  return (
    tokens.get(line)?.map(({ text, kind }, i) =>
      kind ? (
        <span key={i} className={`t-${kind}`}>
          {text}
        </span>
      ) : (
        text
      ),
    ) ?? line.text
  );
}

function Unified({ line, tokens }: LineProps) {
  return (
    <tr className={line.kind}>
      <td className="line-at">{line.before}</td>
      <td className="line-at">{line.after}</td>
      <td className="line-text">
        <span className="sign">{sign(line)}</span>
        <LineText line={line} tokens={tokens} />
      </td>
    </tr>
  );
}

function Split({
  row: { left, right },
  tokens,
}: {
  row: SplitRow;
  tokens: Tokens;
}) {
  if (left && left === right && left.kind !== 'context') {
    return (
      <tr className={left.kind}>
        <td className="line-at" />
        <td className="line-text" colSpan={3}>
          {left.text}
        </td>
      </tr>
    );
  }
  return (
    <tr>
      <Side line={left} number={left?.before} tokens={tokens} />
      <Side line={right} number={right?.after} tokens={tokens} />
    </tr>
  );
}

function Side({
  line,
  number,
  tokens,
}: {
  line: DiffLine | null;
  number?: number | null;
  tokens: Tokens;
}) {
  return (
    <>
      <td className={`line-at ${line?.kind ?? 'absent'}`}>{number}</td>
      <td className={`line-text ${line?.kind ?? 'absent'}`}>
        {line && <span className="sign">{sign(line)}</span>}
        {line && <LineText line={line} tokens={tokens} />}
      </td>
    </>
  );
}

// Colour alone must not carry it.
function sign(line: DiffLine): string {
  return line.kind === 'added' ? '+' : line.kind === 'removed' ? '−' : ' ';
}

export function pathOf(file: FileChange): string {
  return cleanText(file.newPath || file.oldPath);
}

function title(file: FileChange): string {
  return file.kind === FileChange_Kind.RENAMED
    ? `${cleanText(file.oldPath)} → ${cleanText(file.newPath)}`
    : pathOf(file);
}

function kindWord(file: FileChange): string {
  switch (file.kind) {
    case FileChange_Kind.ADDED:
      return 'new';
    case FileChange_Kind.DELETED:
      return 'deleted';
    case FileChange_Kind.RENAMED:
      return 'renamed';
    default:
      return '';
  }
}

function modeNote(file: FileChange): string {
  if (file.newMode === 0o120000) return 'symbolic link';
  const became = file.kind !== FileChange_Kind.ADDED && file.oldMode !== 0;
  if (became && file.newMode && file.oldMode !== file.newMode) {
    return `mode ${file.oldMode.toString(8)} → ${file.newMode.toString(8)}`;
  }
  return file.newMode === 0o100755 && file.kind === FileChange_Kind.ADDED
    ? 'executable'
    : '';
}
