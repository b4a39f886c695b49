import type {
  SourceCommit,
  SourceNote,
} from '../gen/assay/v1/source_service_pb';
import { cleanText } from '../model/clean_text';
import { shortCommit } from '../model/format';
import { useClients } from '../rpc/client';
import { Answer } from './loading';
import { Markdown } from './markdown';
import { Time } from './time';
import { useLoad } from './use_load';
import { useNow } from './use_now';

interface Props {
  attempt: string;
  commit: string;
}

// What the candidate wrote for readers: notes and the messages of commits.
export function NotesPanel({ attempt, commit }: Props) {
  const { source } = useClients();
  const now = useNow(60_000);
  const told = useLoad(async (signal) => {
    const of = { attempt, commit };
    const [{ notes }, { commits }] = await Promise.all([
      source.listNotes(of, { signal }),
      source.listCommits(of, { signal }),
    ]);
    return { notes, commits: commits.filter((one) => !one.ofTemplate) };
  });
  return (
    <aside className="notes" aria-labelledby="notes" tabIndex={0}>
      <h3 id="notes">The candidate’s notes</h3>
      <Answer of={told} what="notes">
        {({ notes, commits }) => (
          <Notes notes={notes} commits={commits} now={now} />
        )}
      </Answer>
    </aside>
  );
}

function Notes({
  notes,
  commits,
  now,
}: {
  notes: SourceNote[];
  commits: SourceCommit[];
  now: number;
}) {
  const own = notes.filter((note) => !note.ofTemplate);
  const given = notes.filter((note) => note.ofTemplate);
  return (
    <>
      {own.length === 0 && (
        <p className="muted">
          There is no DECISIONS.md, and no README of their own.
        </p>
      )}
      {own.map((note) => (
        <Note key={note.path} note={note} />
      ))}
      <Messages commits={commits} now={now} />
      {given.length > 0 && (
        <details className="fold">
          <summary>As the template has it</summary>
          {given.map((note) => (
            <Note key={note.path} note={note} />
          ))}
        </details>
      )}
    </>
  );
}

function Note({ note }: { note: SourceNote }) {
  const text = new TextDecoder().decode(note.content);
  const plain = !/\.(md|markdown)$/i.test(note.path);
  return (
    <article className="note">
      <h4 className="mono">{cleanText(note.path)}</h4>
      {plain ? (
        <p className="plain-note">{cleanText(text)}</p>
      ) : (
        <Markdown text={text} level={4} />
      )}
      {note.truncated && (
        <p className="notice warn">
          {text ? 'The rest of this file' : 'This file'} is too long to be shown
          here; clone the repository to read all of it.
        </p>
      )}
    </article>
  );
}

function Messages({ commits, now }: { commits: SourceCommit[]; now: number }) {
  if (commits.length === 0) return null;
  return (
    <article className="note">
      <h4>
        {commits.length === 1 ? '1 commit' : `${commits.length} commits`},
        newest first
      </h4>
      <ol className="messages">
        {commits.map((commit) => (
          <li key={commit.commit}>
            <p>
              <strong>{cleanText(commit.subject) || 'No message'}</strong>
            </p>
            <p className="muted">
              <span className="mono">{shortCommit(commit.commit)}</span>, dated{' '}
              <Time at={commit.authorTime} now={now} />
            </p>
            {commit.body && (
              <p className="plain-note">{cleanText(commit.body)}</p>
            )}
          </li>
        ))}
      </ol>
    </article>
  );
}
