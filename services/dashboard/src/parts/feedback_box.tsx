import { type Decision, Decision_Outcome } from '../gen/assay/v1/decision_pb';
import { cleanText } from '../model/clean_text';

// What was decided and written for the candidate, once it is released.
export function FeedbackBox({ decisions }: { decisions: readonly Decision[] }) {
  const last = decisions.at(-1);
  if (!last) return null;
  return (
    <section aria-labelledby="feedback">
      <h2 id="feedback">Feedback</h2>
      {last.outcome === Decision_Outcome.ADVANCE && (
        <p>You go on to the next step.</p>
      )}
      {last.outcome === Decision_Outcome.REJECT && (
        <p>It was decided not to go on.</p>
      )}
      <p className="feedback">{cleanText(last.feedback)}</p>
    </section>
  );
}
