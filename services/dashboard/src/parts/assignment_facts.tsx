import { AssignmentSpec_LatePolicy as LatePolicy } from '../gen/assay/v1/assignment_pb';
import type { Draft } from '../model/assignment_draft';

// What an assignment is called, and its rules.
export function AssignmentFacts({
  draft,
  isNew,
  onChange,
}: {
  draft: Draft;
  isNew: boolean;
  onChange: (more: Partial<Draft>) => void;
}) {
  return (
    <div className="inline-form">
      {isNew && (
        <label>
          Name in addresses
          <input
            required
            pattern="[a-z0-9\-]{1,40}"
            title="1 to 40 of a-z, 0-9 and hyphen"
            value={draft.id}
            onChange={(event) => onChange({ id: event.target.value })}
          />
        </label>
      )}
      <label className="wide">
        Title
        <input
          required
          maxLength={200}
          value={draft.title}
          onChange={(event) => onChange({ title: event.target.value })}
        />
      </label>
      <label>
        Hours allowed
        <input
          type="number"
          required
          min="0.01"
          step="any"
          value={draft.hours}
          onChange={(event) => onChange({ hours: event.target.value })}
        />
      </label>
      <label>
        Grace, seconds
        <input
          type="number"
          required
          min="0"
          value={draft.graceSeconds}
          onChange={(event) => onChange({ graceSeconds: event.target.value })}
        />
      </label>
      <label>
        Late pushes
        <select
          value={draft.latePolicy}
          onChange={(event) =>
            onChange({ latePolicy: Number(event.target.value) })
          }
        >
          <option value={LatePolicy.REJECT}>are refused</option>
          <option value={LatePolicy.LATE}>are kept and marked late</option>
          <option value={LatePolicy.PRACTICE}>are run for practice</option>
        </select>
      </label>
      <label className="wide">
        On AI tools
        <textarea
          rows={2}
          value={draft.aiPolicy}
          onChange={(event) => onChange({ aiPolicy: event.target.value })}
        />
      </label>
    </div>
  );
}
