import { durationText } from '../model/format';
import type { StatementGroup } from '../model/trace_tree';

interface Props {
  groups: readonly StatementGroup[];
  onChoose: (id: string) => void;
}

// What ran below a span, each statement once, the most repeated first.
export function StatementGroups({ groups, onChoose }: Props) {
  return (
    <table className="statement-groups">
      <caption>Statements below it</caption>
      <thead>
        <tr>
          <th scope="col" className="number">
            Times
          </th>
          <th scope="col" className="number">
            In all
          </th>
          <th scope="col">Statement</th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => (
          <tr key={group.shape}>
            <td className="number">{group.count}</td>
            <td className="number">{durationText(group.total)}</td>
            <td className="mono">
              {group.many && <span className="tag warn">N+1</span>}{' '}
              <button
                type="button"
                className="link"
                title="To the first of them"
                onClick={() => onChoose(group.first)}
              >
                {group.shape}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
