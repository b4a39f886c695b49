import { type FormEvent, useState } from 'react';

import type { Question } from '../gen/assay/v1/question_pb';
import { sentence, useClients } from '../rpc/client';
import { Empty } from './empty';
import { QuestionText } from './question_thread';
import { useDraft } from './use_draft';

interface Props {
  questions: readonly Question[];
  now: number;
  onChanged: () => void;
}

// The author's side: answers, without seeing who asks.
export function QuestionDesk({ questions, now, onChanged }: Props) {
  if (questions.length === 0) {
    return (
      <Empty title="Nobody has asked yet">
        <p>Questions appear here without a name. Answers are for good.</p>
      </Empty>
    );
  }
  // What waits comes first.
  const sorted = questions.toSorted(
    (a, b) => Number(!!a.answerTime) - Number(!!b.answerTime),
  );
  return (
    <ul className="thread">
      {sorted.map((question) => (
        <li key={question.name}>
          <QuestionText question={question} now={now} />
          {!question.answerTime && (
            <AnswerForm question={question} onChanged={onChanged} />
          )}
        </li>
      ))}
    </ul>
  );
}

function AnswerForm({
  question,
  onChanged,
}: {
  question: Question;
  onChanged: () => void;
}) {
  const client = useClients().questions;
  const [answer, setAnswer] = useDraft(`answer ${question.name}`, '');
  const [share, setShare] = useState(false);
  const [problem, setProblem] = useState('');
  const call = async (work: () => Promise<unknown>) => {
    setProblem('');
    try {
      await work();
      onChanged();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  const { name } = question;
  const send = (event: FormEvent) => {
    event.preventDefault();
    void call(() =>
      client.answerQuestion({ name, answer: answer.trim(), share }),
    );
  };
  return (
    <form className="stacked-form" onSubmit={send}>
      <label>
        Your answer
        <textarea
          required
          rows={2}
          maxLength={10_000}
          value={answer}
          onChange={(event) => setAnswer(event.target.value)}
        />
      </label>
      <label className="check-label">
        <input
          type="checkbox"
          checked={share}
          onChange={(event) => setShare(event.target.checked)}
        />{' '}
        Show question and answer to every attempt
      </label>
      <p className="buttons">
        <button type="submit" className="primary" disabled={!answer.trim()}>
          Answer
        </button>
        {!question.paused && (
          <button
            type="button"
            className="quiet"
            onClick={() => void call(() => client.pauseForQuestion({ name }))}
          >
            Stop their clock until then
          </button>
        )}
      </p>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
