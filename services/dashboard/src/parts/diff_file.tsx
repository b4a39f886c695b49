import { useState } from 'react';

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

// A longer file is shown when it is asked for.
const MANY_LINES = 800;

interface Props {
  file: FileChange;
  id: string;
  split: boolean;
}

export function DiffFile({ file, id, split }: Props) {
  const changed = file.addedLines + file.removedLines;
  const [open, setOpen] = useState(changed <= MANY_LINES);
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
      {!open && changed > MANY_LINES && (
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
  if (file.binary) {
    return (
      <p className="muted">A binary file, or one too large to be compared.</p>
    );
  }
  const lines = diffLines(file.patch);
  if (lines.length === 0) return <p className="muted">No lines changed.</p>;
  return (
    <>
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
              ? splitRows(lines).map((row, i) => <Split key={i} row={row} />)
              : lines.map((line, i) => <Unified key={i} line={line} />)}
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

function Unified({ line }: { line: DiffLine }) {
  return (
    <tr className={line.kind}>
      <td className="line-at">{line.before}</td>
      <td className="line-at">{line.after}</td>
      <td className="line-text">
        <span className="sign">{sign(line)}</span>
        {line.text}
      </td>
    </tr>
  );
}

function Split({ row: { left, right } }: { row: SplitRow }) {
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
      <Side line={left} number={left?.before} />
      <Side line={right} number={right?.after} />
    </tr>
  );
}

function Side({
  line,
  number,
}: {
  line: DiffLine | null;
  number?: number | null;
}) {
  return (
    <>
      <td className={`line-at ${line?.kind ?? 'absent'}`}>{number}</td>
      <td className={`line-text ${line?.kind ?? 'absent'}`}>
        {line && <span className="sign">{sign(line)}</span>}
        {line?.text}
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
