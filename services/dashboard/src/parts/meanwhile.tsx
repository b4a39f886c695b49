import { cleanText } from '../model/clean_text';
import type { LogStream } from '../model/log_stream';
import { Link } from '../router';

// As many lines as stand beside a span; the rest is a click away.
const LINES = 6;

interface Props {
  run: string;
  logs: ReadonlyMap<string, LogStream>;
  // Milliseconds since 1970.
  from: number;
  to: number;
}

// What the programs of a run wrote while a span lasted, as the runner read it.
export function Meanwhile({ run, logs, from, to }: Props) {
  const written = [...logs]
    .map(([name, log]) => ({ name, log, ...log.writtenBetween(from, to) }))
    .filter(({ first, end }) => end > first);
  if (written.length === 0) return null;
  return (
    <section className="meanwhile" aria-label="Output meanwhile">
      {written.map(({ name, log, first, end }) => (
        <div key={name}>
          <h4>
            <Link
              href={`/${run}?tab=log&output=${encodeURIComponent(name)}&line=${first + 1}`}
            >
              {cleanText(name)} wrote {end - first}{' '}
              {end - first === 1 ? 'line' : 'lines'} meanwhile
            </Link>
          </h4>
          <pre>
            {Array.from({ length: Math.min(LINES, end - first) }, (_, i) =>
              log.text(first + i),
            ).join('\n')}
          </pre>
        </div>
      ))}
    </section>
  );
}
