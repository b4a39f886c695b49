import { useEffect, useRef, useState } from 'react';

interface Props {
  // What the button says, and for whom where that is not plain to see.
  text: string;
  label?: string;
  // What is asked, and what answers it.
  question: string;
  yes: string;
  onSure: () => void;
}

// A button for what cannot be taken back: it asks once more in its place.
export function SureButton(props: Props) {
  const { text, label, question, yes, onSure } = props;
  const [asking, setAsking] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const answer = useRef<HTMLButtonElement>(null);
  const wasAsking = useRef(false);
  // The keyboard goes along, to the question and back.
  useEffect(() => {
    if (asking) answer.current?.focus();
    else if (wasAsking.current) first.current?.focus();
    wasAsking.current = asking;
  }, [asking]);
  if (!asking) {
    return (
      <button
        type="button"
        className="quiet"
        ref={first}
        aria-label={label}
        onClick={() => setAsking(true)}
      >
        {text}
      </button>
    );
  }
  return (
    <span
      className="sure"
      role="group"
      aria-label={question}
      onKeyDown={(event) => event.key === 'Escape' && setAsking(false)}
    >
      {question}{' '}
      <button
        type="button"
        className="quiet danger"
        ref={answer}
        onClick={() => {
          setAsking(false);
          onSure();
        }}
      >
        {yes}
      </button>
      <button type="button" className="quiet" onClick={() => setAsking(false)}>
        No
      </button>
    </span>
  );
}
