import {
  type GetHomeResponse,
  type GetHomeResponse_Waiting,
  GetHomeResponse_Waiting_Kind as Kind,
} from '../gen/assay/v1/overview_service_pb';
import { countText, idOf } from '../model/format';
import { Link } from '../router';
import { Time } from './time';

// What somebody has to look at, longest first.
export function WaitingList({
  home,
  now,
}: {
  home: GetHomeResponse;
  now: number;
}) {
  const hidden = home.waitingCount - home.waiting.length;
  return (
    <>
      <ul className="waiting">
        {home.waiting.map((one) => (
          <li key={`${one.kind} ${one.attempt} ${one.run}`}>
            <Link href={targetOf(one)}>{textOf(one.kind)}</Link>
            <span className="muted">
              {' '}
              in {idOf(one.assignment)}, since <Time at={one.since} now={now} />
            </span>
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <p className="muted">
          {/* Observers see how many, and not what. */}
          {home.waiting.length > 0
            ? `and ${hidden} more`
            : `${countText(hidden, 'thing')}, for authors and reviewers.`}
        </p>
      )}
    </>
  );
}

function targetOf(one: GetHomeResponse_Waiting): string {
  switch (one.kind) {
    case Kind.QUESTION:
      return `/${one.assignment}?tab=questions`;
    case Kind.ERRORED_RUN:
      return `/${one.run}`;
    case Kind.DECISION:
    case Kind.PAUSED_CLOCK:
    case Kind.NOTHING_SUBMITTED:
    case Kind.UNSPECIFIED:
      return `/${one.attempt}`;
  }
}

function textOf(kind: Kind): string {
  switch (kind) {
    case Kind.QUESTION:
      return 'A question to answer';
    case Kind.DECISION:
      return 'A submission to decide on';
    case Kind.ERRORED_RUN:
      return 'A run that failed through our fault';
    case Kind.PAUSED_CLOCK:
      return 'A clock that stands still';
    case Kind.NOTHING_SUBMITTED:
      return 'Nothing was submitted in time; to decide on';
    case Kind.UNSPECIFIED:
      return '';
  }
}
