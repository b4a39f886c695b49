import { durationText } from '../model/format';
import { type Load, placeOf } from '../model/load_histogram';

const WIDTH = 640;
const HEIGHT = 90;

// How long the requests of a load took, with the slowest as marks that lead to
// their spans.
export function LoadHistogram({
  load,
  onChoose,
}: {
  load: Load;
  onChoose: (id: string) => void;
}) {
  const { bars, most, exemplars } = load;
  const step = WIDTH / bars.length;
  return (
    <figure className="load">
      <figcaption>
        Latencies from the planned send
        {load.figures.map(([name, text]) => (
          <span key={name} className="muted">
            {' '}
            · {name} {text}
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 34}`} aria-hidden="true">
        {bars.map((bar, i) => {
          // Few slow ones beside thousands of fast ones are still seen.
          const height = Math.max(
            2,
            (Math.log1p(bar.count) / Math.log1p(most)) * HEIGHT,
          );
          return (
            <rect
              key={i}
              x={i * step + 0.5}
              y={HEIGHT - height}
              width={Math.max(1, step - 1)}
              height={height}
            >
              <title>
                {`${durationText(bar.lower)} to ${durationText(bar.upper)}: ${bar.count}`}
              </title>
            </rect>
          );
        })}
        {exemplars.map((row) => (
          <circle
            key={row.id}
            cx={placeOf(bars, row.duration) * WIDTH}
            cy={HEIGHT + 8}
            r={4}
            className={row.failed ? 'failed' : ''}
            onClick={() => onChoose(row.id)}
          />
        ))}
        <text x={0} y={HEIGHT + 30}>
          {durationText(bars[0]!.lower)}
        </text>
        <text x={WIDTH} y={HEIGHT + 30} textAnchor="end">
          {durationText(bars.at(-1)!.upper)}
        </text>
      </svg>
      {exemplars.length > 0 && (
        <p className="exemplars">
          Slowest:
          {exemplars.map((row) => (
            <button
              key={row.id}
              type="button"
              className="link"
              onClick={() => onChoose(row.id)}
            >
              {durationText(row.duration)}
            </button>
          ))}
        </p>
      )}
    </figure>
  );
}
