// What came of the last attempt to do something; nothing before there was one.
export interface Outcome {
  text: string;
  good: boolean;
}

export const NO_OUTCOME: Outcome = { text: '', good: true };

export function OutcomeNotice({ outcome }: { outcome: Outcome }) {
  if (!outcome.text) return null;
  return (
    <p
      className={`notice ${outcome.good ? 'good' : 'bad'}`}
      role={outcome.good ? 'status' : 'alert'}
    >
      {outcome.text}
    </p>
  );
}
