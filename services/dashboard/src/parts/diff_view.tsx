import { useState } from 'react';

import type {
  FileChange,
  GetDiffResponse,
} from '../gen/assay/v1/source_service_pb';
import { shortCommit } from '../model/format';
import { useClients } from '../rpc/client';
import { Counts, DiffFile, pathOf } from './diff_file';
import { Empty } from './empty';
import { Answer } from './loading';
import { NotesPanel } from './notes_panel';
import { useLoad } from './use_load';

// A longer file is shown when it is asked for, and so is every file after that
// many lines.
const MANY_LINES = 800;
const MANY_IN_ALL = 6_000;

interface Props {
  attempt: string;
  // Empty: the template.
  from: string;
  to: string;
}

// What a commit changes, beside what its author says about it. Give it a key of its commits: it asks once.
export function DiffView({ attempt, from, to }: Props) {
  const { source } = useClients();
  const compared = useLoad<GetDiffResponse>((signal) =>
    source.getDiff({ attempt, oldCommit: from, newCommit: to }, { signal }),
  );
  return (
    <Answer of={compared} what="changes">
      {(value) => <Diff attempt={attempt} from={from} to={to} value={value} />}
    </Answer>
  );
}

function Diff({
  attempt,
  from,
  to,
  value,
}: Props & { value: GetDiffResponse }) {
  const [split, setSplit] = useState(() => innerWidth > 1500);
  const [notes, setNotes] = useState(true);
  const { files } = value;
  const long = longOnes(files);
  if (files.length === 0) {
    return (
      <>
        <Empty title="Nothing changed">
          <p>Both commits hold the same files.</p>
        </Empty>
        <NotesPanel attempt={attempt} commit={to} />
      </>
    );
  }
  return (
    <>
      <div className="diff-head">
        <span>
          {files.length} {files.length === 1 ? 'file' : 'files'}{' '}
          <Counts added={value.addedLines} removed={value.removedLines} />{' '}
          <span className="muted mono">
            {from ? shortCommit(from) : 'template'}…{shortCommit(to)}
          </span>
        </span>
        <span>
          <button
            type="button"
            className="quiet"
            aria-pressed={notes}
            onClick={() => setNotes(!notes)}
          >
            Notes
          </button>
          <button
            type="button"
            className="quiet"
            aria-pressed={split}
            onClick={() => setSplit(!split)}
          >
            Side by side
          </button>
        </span>
      </div>
      {value.truncated && (
        <p className="notice warn">
          More than {files.length} files changed; the first ones are shown.
        </p>
      )}
      <div className={notes ? 'diff-columns with-notes' : 'diff-columns'}>
        <nav className="diff-tree" aria-label="Changed files">
          <ul>
            {files.map((file, i) => (
              <li key={i}>
                <a href={`#file-${i}`} title={pathOf(file)}>
                  <bdi>{pathOf(file)}</bdi>
                </a>
                <Counts added={file.addedLines} removed={file.removedLines} />
              </li>
            ))}
          </ul>
        </nav>
        <div className="diff-files">
          {files.map((file, i) => (
            <DiffFile
              key={i}
              id={`file-${i}`}
              file={file}
              split={split}
              long={long[i]!}
            />
          ))}
        </div>
        {notes && <NotesPanel attempt={attempt} commit={to} />}
      </div>
    </>
  );
}

function longOnes(files: readonly FileChange[]): boolean[] {
  let shown = 0;
  return files.map(({ addedLines, removedLines }) => {
    const lines = addedLines + removedLines;
    const long = lines > MANY_LINES || shown + lines > MANY_IN_ALL;
    if (!long) shown += lines;
    return long;
  });
}
