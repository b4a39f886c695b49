import { Code, ConnectError } from '@connectrpc/connect';
import { type FormEvent, useMemo, useState } from 'react';

import type { Assignment } from '../gen/assay/v1/assignment_pb';
import {
  type Draft,
  draftOf,
  specOf,
  suiteFilesOf,
} from '../model/assignment_draft';
import { fromProto, textOf, type TreeFile } from '../model/file_tree';
import { idOf } from '../model/format';
import { AssignmentFacts } from '../parts/assignment_facts';
import { newRequestId } from '../parts/invite_form';
import { Answer } from '../parts/loading';
import { Markdown } from '../parts/markdown';
import { SureButton } from '../parts/sure_button';
import { SuiteEditor } from '../parts/suite_editor';
import { TemplateField } from '../parts/template_field';
import { useDraft } from '../parts/use_draft';
import { useLoad } from '../parts/use_load';
import { goTo, Link } from '../router';
import { sentence, useClients } from '../rpc/client';

// Writes a new assignment, or the next version of one.
export default function AssignmentEditorPage({ name }: { name?: string }) {
  const { assignments, suites } = useClients();
  const loaded = useLoad(async (signal) => {
    if (!name) return { assignment: null, files: [] };
    const [found, suite] = await Promise.all([
      assignments.getAssignment({ name }, { signal }),
      suites.getSuite({ name }, { signal }),
    ]);
    return {
      assignment: found.assignment!,
      files: fromProto(suite.suite?.files ?? []),
    };
  });
  const title = name ? `Edit ${idOf(name)}` : 'New assignment';
  return (
    <>
      <title>{`${title} · Assay`}</title>
      <p className="crumbs">
        <Link href="/">Assignments</Link>
        {name && (
          <>
            {' / '}
            <Link href={`/${name}`}>{idOf(name)}</Link>
          </>
        )}
      </p>
      <h1>{title}</h1>
      <Answer of={loaded} what="assignment">
        {({ assignment, files }) => (
          <Editor assignment={assignment} files={files} />
        )}
      </Answer>
    </>
  );
}

function Editor({
  assignment,
  files,
}: {
  assignment: Assignment | null;
  files: TreeFile[];
}) {
  const { assignments } = useClients();
  const [base, setBase] = useState(assignment);
  const [draft, setDraft, forget, kept] = useDraft(
    assignment?.name ?? 'new',
    draftOf(assignment, files),
  );
  const [template, setTemplate] = useState<TreeFile[] | null>(null);
  const [problem, setProblem] = useState('');
  const [newer, setNewer] = useState<Assignment | null>(null);
  const [busy, setBusy] = useState(false);
  const [requestId] = useState(newRequestId);
  // Binary files are not edited here and go along as they are.
  const others = useMemo(
    () => files.filter((file) => textOf(file) === null),
    [files],
  );
  const change = (more: Partial<Draft>) => setDraft({ ...draft, ...more });

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    setNewer(null);
    try {
      const name = await write();
      forget();
      goTo(`/${name}`);
    } catch (error) {
      if (ConnectError.from(error).code === Code.Aborted && assignment) {
        const now = await assignments
          .getAssignment({ name: assignment.name })
          .catch(() => null);
        setNewer(now?.assignment ?? null);
      }
      setProblem(sentence(error));
    } finally {
      setBusy(false);
    }
  };
  const write = async (): Promise<string> => {
    const spec = specOf(draft, base);
    const suite = {
      files: suiteFilesOf(draft, draftOf(assignment, files), others),
    };
    if (assignment) {
      const done = await assignments.updateAssignment({
        name: assignment.name,
        expectedVersion: draft.version,
        spec,
        suite,
        ...(template ? { template: { files: template } } : {}),
      });
      return done.assignment!.name;
    }
    const made = await assignments.createAssignment({
      assignmentId: draft.id.trim(),
      spec,
      suite,
      template: { files: template ?? [] },
      requestId,
    });
    return made.assignment!.name;
  };

  return (
    <form className="stack" onSubmit={(event) => void save(event)}>
      {kept && (
        <p className="notice">
          This is what you wrote before, and it is not saved yet.{' '}
          <SureButton
            text="Throw it away"
            question="It is gone then."
            yes="Yes, throw it away"
            onSure={() => forget(draftOf(assignment, files))}
          />
        </p>
      )}
      <AssignmentFacts draft={draft} isNew={!assignment} onChange={change} />
      <section aria-labelledby="brief">
        <h2 id="brief">Brief</h2>
        <div className="beside">
          <textarea
            aria-labelledby="brief"
            rows={14}
            placeholder="What to build, and what done looks like, in Markdown."
            value={draft.brief}
            onChange={(event) => change({ brief: event.target.value })}
          />
          <div
            className="preview"
            aria-label="Preview of the brief"
            role="region"
          >
            {draft.brief ? (
              <Markdown text={draft.brief} level={2} />
            ) : (
              <p className="muted">Here it stands as candidates will see it.</p>
            )}
          </div>
        </div>
      </section>
      <section aria-labelledby="template">
        <h2 id="template">Template</h2>
        <TemplateField
          template={template}
          isNew={!assignment}
          onChange={setTemplate}
        />
      </section>
      <section aria-labelledby="suite">
        <h2 id="suite">Suite</h2>
        <SuiteEditor
          texts={draft.texts}
          others={others}
          onChange={(texts) => change({ texts })}
        />
      </section>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {newer && newer.version > draft.version && (
        <p className="notice warn">
          Somebody made version {newer.version} while you wrote. What you wrote
          is still here.{' '}
          <button
            type="button"
            className="quiet"
            onClick={() => {
              change({ version: newer.version });
              // What this page does not show stays as they made it.
              setBase(newer);
              setProblem('');
              setNewer(null);
            }}
          >
            Follow version {newer.version} with mine
          </button>
        </p>
      )}
      <div className="table-tools">
        <button type="submit" className="primary" disabled={busy}>
          {assignment ? `Make version ${draft.version + 1}` : 'Create'}
        </button>
        {assignment && (
          <span className="muted">
            Running attempts stay on theirs until they are moved.
          </span>
        )}
      </div>
    </form>
  );
}
