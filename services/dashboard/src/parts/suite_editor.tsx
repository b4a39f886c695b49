import { type ChangeEvent, useEffect, useState } from 'react';

import type {
  CheckSuiteResponse,
  CheckSuiteResponse_Problem,
} from '../gen/assay/v1/suite_service_pb';
import type { SuiteTexts } from '../model/assignment_draft';
import { cleanText } from '../model/clean_text';
import { fromText, readFolder, sorted, textOf } from '../model/file_tree';
import { suiteText } from '../model/format';
import { sentence, useClients } from '../rpc/client';
import { CodeEditor } from './code_editor';

interface Props {
  texts: SuiteTexts;
  // Files that are no text.
  others: readonly { path: string; mode: number; content: Uint8Array }[];
  onChange: (texts: SuiteTexts) => void;
}

const SUITE_FILE = 'assay.yaml';
// How long nobody types before the server is asked.
const REST = 400;

// A suite's files, judged by the server's own compiler while they are written.
export function SuiteEditor({ texts, others, onChange }: Props) {
  const { suites } = useClients();
  const [shown, setShown] = useState(SUITE_FILE);
  const [found, setFound] = useState<CheckSuiteResponse | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [place, setPlace] = useState<{ line: number; column: number } | null>(
    null,
  );
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      const files = sorted([
        ...Object.entries(texts).map(([path, text]) => fromText(path, text)),
        ...others,
      ]);
      suites.checkSuite({ suite: { files } }, { signal: stop.signal }).then(
        (answer) => {
          setFound(answer);
          setError(null);
        },
        (failure: unknown) => {
          if (!stop.signal.aborted) setError(failure);
        },
      );
    }, REST);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [texts, others, suites]);
  const problems = found?.problems ?? [];
  const paths = Object.keys(texts).sort();
  const current = texts[shown] === undefined ? SUITE_FILE : shown;
  const open = (problem: CheckSuiteResponse_Problem) => {
    if (texts[problem.file] !== undefined) setShown(problem.file);
    if (problem.line > 0) {
      setPlace({ line: problem.line, column: problem.column });
    }
  };
  const add = async (event: ChangeEvent<HTMLInputElement>) => {
    const next = { ...texts };
    for (const file of await readFolder(event.target.files ?? [])) {
      const text = textOf(file);
      if (text !== null) next[file.path] = text;
    }
    onChange(next);
  };
  return (
    <>
      <div className="table-tools">
        <label>
          File{' '}
          <select
            value={current}
            onChange={(event) => setShown(event.target.value)}
          >
            {paths.map((path) => (
              <option key={path}>{path}</option>
            ))}
          </select>
        </label>
        {others.length > 0 && (
          <span className="muted">and {others.length} that are no text</span>
        )}
        <span className="spring" />
        <label>
          Take files from a folder{' '}
          <input
            type="file"
            multiple
            ref={asFolder}
            onChange={(event) => void add(event)}
          />
        </label>
      </div>
      <CodeEditor
        label={`Text of ${current}`}
        text={texts[current] ?? ''}
        problems={problems.filter(({ file }) => file === current)}
        goTo={place}
        onChange={(text) => onChange({ ...texts, [current]: text })}
      />
      {error !== null && <p className="notice warn">{sentence(error)}</p>}
      {found && <Verdict found={found} onOpen={open} />}
    </>
  );
}

// React knows no such attribute.
export function asFolder(input: HTMLInputElement | null) {
  input?.setAttribute('webkitdirectory', '');
}

function Verdict({
  found,
  onOpen,
}: {
  found: CheckSuiteResponse;
  onOpen: (problem: CheckSuiteResponse_Problem) => void;
}) {
  const errors = found.problems.filter((problem) => !problem.warning).length;
  return (
    <div role="status">
      {found.problems.length > 0 && (
        <ul className="problems">
          {found.problems.map((problem, i) => (
            <li key={i} className={problem.warning ? 'warn' : 'bad'}>
              <button
                type="button"
                className="quiet"
                onClick={() => onOpen(problem)}
              >
                {[problem.file, problem.line, problem.column]
                  .filter(Boolean)
                  .join(':') || 'suite'}
              </button>{' '}
              {cleanText(problem.message)}
            </li>
          ))}
        </ul>
      )}
      {errors === 0 && (
        <p className="muted">
          {suiteText({
            checkCount: found.checks.length,
            maxPoints: found.maxPoints,
          })}
          , {found.checks.filter((check) => check.hidden).length} hidden.
        </p>
      )}
    </div>
  );
}
