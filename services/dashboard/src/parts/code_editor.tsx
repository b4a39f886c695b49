import { type KeyboardEvent, useEffect, useRef } from 'react';

import type { CheckSuiteResponse_Problem } from '../gen/assay/v1/suite_service_pb';
import { cleanText } from '../model/clean_text';

interface Props {
  label: string;
  text: string;
  // Of this file.
  problems: readonly CheckSuiteResponse_Problem[];
  // The line to put the cursor on, counted from 1; changes with each wish.
  goTo?: { line: number; column: number } | null;
  onChange: (text: string) => void;
}

// A plain text area with line numbers, which say where a problem stands. What
// is wrong is listed below it as well, for those who do not see the marks.
export function CodeEditor({ label, text, problems, goTo, onChange }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const lines = text.split('\n').length;
  const worst = new Map<number, CheckSuiteResponse_Problem>();
  for (const problem of problems) {
    const known = worst.get(problem.line);
    if (!known || (known.warning && !problem.warning)) {
      worst.set(problem.line, problem);
    }
  }
  useEffect(() => {
    const box = area.current;
    if (!goTo || !box) return;
    const before = box.value.split('\n').slice(0, goTo.line - 1);
    const at = before.reduce((sum, line) => sum + line.length + 1, 0);
    box.focus();
    box.setSelectionRange(
      at + Math.max(0, goTo.column - 1),
      at + Math.max(0, goTo.column - 1),
    );
    const height = box.scrollHeight / box.value.split('\n').length;
    box.scrollTop = Math.max(0, (goTo.line - 6) * height);
  }, [goTo]);
  return (
    <div className="editor">
      <div className="gutter" ref={gutter} aria-hidden="true">
        {Array.from({ length: lines }, (_, i) => {
          const problem = worst.get(i + 1);
          return (
            <div
              key={i}
              className={problem ? (problem.warning ? 'warn' : 'bad') : ''}
              title={problem && cleanText(problem.message)}
            >
              {i + 1}
            </div>
          );
        })}
      </div>
      <textarea
        ref={area}
        aria-label={label}
        spellCheck={false}
        autoCapitalize="none"
        wrap="off"
        rows={24}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => indent(event, onChange)}
        onScroll={(event) => {
          if (gutter.current) {
            gutter.current.scrollTop = event.currentTarget.scrollTop;
          }
        }}
      />
    </div>
  );
}

// Enter keeps the indentation. Tab is left alone: it leads out of the field.
function indent(
  event: KeyboardEvent<HTMLTextAreaElement>,
  onChange: (text: string) => void,
) {
  if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing)
    return;
  const box = event.currentTarget;
  const { selectionStart: start, selectionEnd: end, value } = box;
  const line = value.slice(value.lastIndexOf('\n', start - 1) + 1, start);
  const space = /^ */.exec(line)![0];
  if (space === '') return;
  event.preventDefault();
  const inserted = `\n${space}`;
  onChange(value.slice(0, start) + inserted + value.slice(end));
  const at = start + inserted.length;
  requestAnimationFrame(() => box.setSelectionRange(at, at));
}
