import { type FormEvent, useState } from 'react';

import type { Question } from '../gen/assay/v1/question_pb';
import { cleanText } from '../model/clean_text';
import { sentence, useClients } from '../rpc/client';
import { newRequestId } from './invite_form';
import { Time } from './time';
import { useDraft } from './use_draft';

interface Props {
  attempt: string;
  questions: readonly Question[];
  // Whether there is somebody to ask: the attempt is not over.
  open: boolean;
  now: number;
  onAsked: () => void;
}

// The candidate's side of the thread.
export function QuestionThread(props: Props) {
  const { attempt, questions, open, now, onAsked } = props;
  const client = useClients().questions;
  const [text, setText] = useDraft(`question ${attempt}`, '');
  const [problem, setProblem] = useState('');
  const [requestId, setRequestId] = useState(newRequestId);
  const ask = async (event: FormEvent) => {
    event.preventDefault();
    setProblem('');
    try {
      await client.askQuestion({ attempt, text: text.trim(), requestId });
      setText('');
      setRequestId(newRequestId());
      onAsked();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  // Nothing was asked, and nobody is there to ask any more.
  if (!open && questions.length === 0) return null;
  return (
    <section aria-labelledby="questions">
      <h2 id="questions">Questions</h2>
      <ul className="thread">
        {questions.map((question) => (
          <li key={question.name}>
            <QuestionText question={question} now={now} />
          </li>
        ))}
      </ul>
      {open && (
        <form className="stacked-form" onSubmit={(event) => void ask(event)}>
          <label>
            Ask whoever wrote the task. They do not learn who asks.
            <textarea
              required
              rows={3}
              maxLength={10_000}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </label>
          <button type="submit" className="quiet" disabled={!text.trim()}>
            Ask
          </button>
        </form>
      )}
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

export function QuestionText({
  question,
  now,
}: {
  question: Question;
  now: number;
}) {
  return (
    <>
      <p className="question">
        {cleanText(question.text)}{' '}
        <span className="muted">
          <Time at={question.askTime} now={now} />
        </span>
        {question.paused && <span className="tag">the clock stands</span>}
      </p>
      {question.answerTime ? (
        <p className="answer">
          {cleanText(question.answer)}{' '}
          {question.shared && <span className="tag">to everybody</span>}
        </p>
      ) : (
        <p className="answer muted">Waits for an answer.</p>
      )}
    </>
  );
}
