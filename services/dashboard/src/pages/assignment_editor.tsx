import { clone, create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { type FormEvent, useMemo, useState } from 'react';

import {
  type Assignment,
  AssignmentSpec_LatePolicy as LatePolicy,
  AssignmentSpecSchema,
} from '../gen/assay/v1/assignment_pb';
import {
  fromProto,
  fromText,
  readFolder,
  sorted,
  textOf,
  type TreeFile,
} from '../model/file_tree';
import { idOf } from '../model/format';
import { VERIFIED_FILE } from '../model/verified';
import { newRequestId } from '../parts/invite_form';
import { Answer } from '../parts/loading';
import { Markdown } from '../parts/markdown';
import { SureButton } from '../parts/sure_button';
import { asFolder, SuiteEditor, type SuiteTexts } from '../parts/suite_editor';
import { useDraft } from '../parts/use_draft';
import { useLoad } from '../parts/use_load';
import { goTo, Link } from '../router';
import { sentence, useClients } from '../rpc/client';

// Compiles as it is: something to change rather than an empty page.
const FIRST_SUITE = `version: 1
name: My task
limits: { run: 120s, check: 15s, request: 5s }
service:
  start: { run: ./run }
  ready: { get: /healthz, within: 30s }
checks:
  - id: answers
    title: Answers at its root
    points: 10
    visibility: public
    steps:
      - get: /
        expect: { status: 200 }
`;

// What is written on the page, as it is kept between visits.
interface Draft {
  id: string;
  title: string;
  brief: string;
  hours: string;
  graceSeconds: string;
  latePolicy: LatePolicy;
  aiPolicy: string;
  texts: SuiteTexts;
  // The version that was there when the writing began; 0: a new assignment.
  version: number;
}

const NEW: Draft = {
  id: '',
  title: '',
  brief: '',
  hours: '4',
  graceSeconds: '120',
  latePolicy: LatePolicy.REJECT,
  aiPolicy: '',
  texts: { 'assay.yaml': FIRST_SUITE },
  version: 0,
};

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

function draftOf(assignment: Assignment | null, files: TreeFile[]): Draft {
  const spec = assignment?.spec;
  if (!assignment || !spec) return NEW;
  const texts: SuiteTexts = {};
  for (const file of files) {
    const text = textOf(file);
    if (text !== null) texts[file.path] = text;
  }
  return {
    id: idOf(assignment.name),
    title: spec.title,
    brief: spec.brief,
    hours: String((spec.duration ? durationMs(spec.duration) : 0) / 3_600_000),
    graceSeconds: String((spec.grace ? durationMs(spec.grace) : 0) / 1000),
    latePolicy: spec.latePolicy,
    aiPolicy: spec.aiPolicy,
    texts,
    version: assignment.version,
  };
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
    // What is not written here stays as it was.
    const spec = base?.spec
      ? clone(AssignmentSpecSchema, base.spec)
      : create(AssignmentSpecSchema);
    Object.assign(spec, {
      title: draft.title.trim(),
      brief: draft.brief,
      duration: durationFromMs(Math.round(Number(draft.hours) * 3_600_000)),
      grace: durationFromMs(Number(draft.graceSeconds) * 1000),
      latePolicy: draft.latePolicy,
      aiPolicy: draft.aiPolicy,
    });
    const texts = { ...draft.texts };
    // Of another suite it says nothing.
    const before = draftOf(assignment, files).texts;
    if (
      Object.keys({ ...texts, ...before }).some(
        (path) => texts[path] !== before[path],
      )
    )
      delete texts[VERIFIED_FILE];
    const suite = {
      files: sorted([
        ...Object.entries(texts).map(([path, text]) => fromText(path, text)),
        ...others,
      ]),
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
      <Facts draft={draft} isNew={!assignment} onChange={change} />
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

function Facts({
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

function TemplateField({
  template,
  isNew,
  onChange,
}: {
  template: TreeFile[] | null;
  isNew: boolean;
  onChange: (template: TreeFile[] | null) => void;
}) {
  const [problem, setProblem] = useState('');
  const read = async (files: FileList | null) => {
    setProblem('');
    try {
      const tree = await readFolder(files ?? []);
      onChange(tree.length > 0 ? tree : null);
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return (
    <>
      <label>
        Folder that every candidate starts from{' '}
        <input
          type="file"
          multiple
          required={isNew}
          ref={asFolder}
          onChange={(event) => void read(event.target.files)}
        />
      </label>
      <p className="muted">
        {template
          ? `${template.length} files; those that begin with “#!” are programs.`
          : isNew
            ? 'Its files become one commit.'
            : 'Without one, the template stays as it is.'}
      </p>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
