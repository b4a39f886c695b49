// Stands in for assayd where a test decides what happens and when: serves the
// built dashboard with assayd's security headers, and speaks the Connect
// protocol for the methods that the pages call.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

export const TOKEN = 'a-token-that-is-known';
const ABORTED = Symbol('aborted');
export const PASSWORD = 'correct horse battery';
export const INVITATION = 'secret-of-an-invitation';
const CANDIDATE = 'a-candidates-token';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
export const SECURITY = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; " +
    "form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
};

// As many of a list as the server gives at once, after those that were read.
function pageOf(what, list, { pageSize, pageToken = '0' }) {
  const end = Number(pageToken) + Math.min(pageSize || 50, 500);
  const more = end < list.length && { nextPageToken: String(end) };
  return { [what]: list.slice(Number(pageToken), end), ...more };
}

// One that is attached and gets runs, unless `more` says otherwise.
export function worker(name, more = {}) {
  return {
    name: `workers/${name}`,
    state: 'STATE_ACTIVE',
    attached: true,
    slots: 2,
    attachTime: new Date().toISOString(),
    ...more,
  };
}

export class FakeAssayd {
  // Messages by resource name, in protobuf's JSON form.
  assignments = new Map();
  attempts = new Map();
  runs = new Map();
  events = new Map();
  // What the invited candidate has.
  mine = null;
  pushes = [];
  submissions = [];
  diff = {};
  diffsAsked = [];
  timeline = [];
  notes = [];
  commits = [];
  questions = [];
  decisions = [];
  self = { role: 'ROLE_ADMIN', label: 'first admin' };
  home = null;
  candidates = [];
  statistics = {};
  // The author's own solution, as GetReference answers.
  reference = undefined;
  referenceVersions = [];
  suite = [];
  // Whether anybody's session is good.
  known = true;
  // How far this server's clock is from the browser's, in milliseconds.
  skew = 0;
  invitations = [];
  trialPassword = 'only-for-trying';
  // What was asked for: requests of invitations, names of those taken back.
  invited = [];
  revoked = [];
  clockChanges = [];
  workers = [worker('w1', { slots: 2 })];
  // Every answer waits for this.
  held = Promise.resolve();
  // Paths that were asked for.
  requests = [];

  #dist;
  #server = null;
  #port = 0;
  #streams = new Set();

  constructor(dist) {
    this.#dist = dist;
  }

  // Listens again on the same port after `stop`.
  async start() {
    this.#server = http.createServer((request, response) =>
      this.#handle(request, response),
    );
    await new Promise((resolve) =>
      this.#server.listen(this.#port, '127.0.0.1', resolve),
    );
    this.#port = this.#server.address().port;
    return `http://127.0.0.1:${this.#port}`;
  }

  // Answers nothing until the function that comes back is called.
  hold() {
    let release;
    this.held = new Promise((resolve) => (release = resolve));
    return release;
  }

  // Cuts every connection.
  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#streams.clear();
  }

  putRun(run) {
    this.runs.set(run.name, run);
    for (const stream of this.#streams) {
      if (stream.method === 'WatchRuns') stream.send({ runs: [run] });
    }
    this.touch();
  }

  // Something that is no run has changed: who watches lists hears of it.
  tellLists() {
    for (const stream of this.#streams) {
      if (stream.method === 'WatchRuns') stream.send({});
    }
  }

  // Something about an attempt has changed: who watches one hears of it.
  touch() {
    for (const stream of this.#streams) {
      if (stream.method === 'WatchAttempt') stream.send(this.#attempt(stream));
    }
  }

  #setWorker(name, change) {
    const found = this.workers.find((each) => each.name === name);
    return { worker: Object.assign(found, change) };
  }

  #funnels() {
    return [...this.assignments.values()].map((each) => ({
      assignment: each.name,
      title: each.spec?.title,
      version: each.version,
      checkCount: each.checkCount,
      maxPoints: each.maxPoints,
      invited: each.invitationCount,
      accepted: each.attemptCount,
      started: each.attemptCount,
      submitted: each.submittedCount,
    }));
  }

  #candidatesFrom(start) {
    const end = start + 500;
    return {
      candidates: this.candidates.slice(start, end),
      nextPageToken: end < this.candidates.length ? String(end) : '',
    };
  }

  // One mistake is known here; the compiler knows the others.
  #judge({ path: file, content }) {
    const lines = Buffer.from(content, 'base64').toString().split('\n');
    const line = lines.findIndex((text) => text.startsWith('chekcs')) + 1;
    const message = 'unknown key “chekcs”; did you mean “checks”?';
    return line > 0
      ? { problems: [{ file, line, column: 1, message }] }
      : { checks: [{ id: 'a', points: 10 }], maxPoints: 10 };
  }

  // Some fields of an attempt become others, and who watches it hears of it.
  change(name, fields) {
    const attempt = { ...this.attempts.get(name), ...fields };
    this.attempts.set(name, attempt);
    this.touch();
    return attempt;
  }

  #changeClock(method, { name, factor, extension }) {
    const { clock, state } = this.attempts.get(name);
    const now = new Date().toISOString();
    const later = Date.parse(clock.deadline) + 1000 * parseInt(extension);
    switch (method) {
      case 'PauseAttempt':
        return this.change(name, { clock: { ...clock, pauseTime: now } });
      case 'ResumeAttempt':
        return this.change(name, { clock: { ...clock, pauseTime: undefined } });
      case 'SetAccommodation':
        return this.change(name, {
          clock: { ...clock, accommodation: factor },
        });
    }
    return this.change(name, {
      state: state === 'STATE_SUBMITTED' ? 'STATE_STARTED' : state,
      clock: { ...clock, deadline: new Date(later).toISOString() },
    });
  }

  // All lines or none, after a header.
  #invite({ csv, dryRun }) {
    const lines = csv.trim().split('\n').slice(1);
    const rows = lines.map((line) => line.split(','));
    const problems = rows.flatMap(([, email], i) =>
      email ? [] : [{ line: i + 2, message: 'an address is missing' }],
    );
    if (problems.length > 0) return { problems };
    const answer = rows.map(([candidateName, candidateEmail]) => ({
      invitation: { candidateName, candidateEmail },
      link: dryRun ? '' : `http://127.0.0.1/invitation#${INVITATION}`,
    }));
    if (!dryRun)
      this.invited.push(...answer.map(({ invitation }) => invitation));
    return { rows: answer };
  }

  #attempt({ run: name }) {
    return {
      attempt: this.attempts.get(name) ?? this.mine,
      serverTime: new Date(Date.now() + this.skew).toISOString(),
    };
  }

  // Appends an event to a run and tells who watches it.
  tell(name, event) {
    const events = this.events.get(name) ?? [];
    this.events.set(name, events);
    const whole = { sequence: String(events.length + 1), epoch: '1', ...event };
    events.push(whole);
    for (const stream of this.#streams) {
      if (stream.run === name) stream.send({ event: whole });
    }
  }

  // Ends the streams of a run, as it does when the run has finished.
  finish(name) {
    for (const stream of this.#streams) {
      if (stream.run === name) stream.end();
    }
  }

  async #handle(request, response) {
    const { pathname } = new URL(request.url, 'http://x');
    this.requests.push(pathname);
    if (request.method !== 'POST') return this.#file(pathname, response);
    await this.held;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const method = pathname.split('/').pop();
    const streaming =
      request.headers['content-type'] === 'application/connect+json';
    const bearer = request.headers.authorization?.replace('Bearer ', '');
    const cookie = request.headers.cookie?.includes('assay_session=known');
    const known =
      (this.known && [TOKEN, CANDIDATE].includes(bearer)) ||
      ['AcceptInvitation', 'SignIn'].includes(method) ||
      (cookie && this.self.account);
    // The one method that pages ask for in binary. The spans of a sample come
    // with its events.
    if (request.headers['content-type'] === 'application/connect+proto') {
      if (method !== 'ReadSpans') throw new Error(`${method} in binary`);
      const type = { 'content-type': 'application/connect+proto' };
      response.writeHead(200, type);
      const end = known ? {} : { error: { code: 'unauthenticated' } };
      const bytes = Buffer.from(JSON.stringify(end));
      const head = Buffer.alloc(5);
      head[0] = 2;
      head.writeUInt32BE(bytes.length, 1);
      return response.end(Buffer.concat([head, bytes]));
    }
    if (streaming) {
      const message = JSON.parse(body.subarray(5));
      this.#stream(method, message, known, request, response);
    } else {
      this.#unary(method, JSON.parse(body), known, response);
    }
  }

  #file(pathname, response) {
    const page = path.extname(pathname) ? pathname : '/index.html';
    const file = path.join(this.#dist, path.normalize(page));
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    const type = TYPES[path.extname(file)];
    response.writeHead(200, { ...SECURITY, 'content-type': type });
    response.end(fs.readFileSync(file));
  }

  #unary(method, message, known, response) {
    const answer = (status, value) =>
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify(value));
    if (!known) {
      return answer(401, { code: 'unauthenticated', message: 'no such token' });
    }
    const found = this.#answerTo(method, message);
    if (found === ABORTED) {
      return answer(409, {
        code: 'aborted',
        message: 'it has another version',
      });
    }
    if (found && method === 'SignIn') {
      response.setHeader(
        'set-cookie',
        'assay_session=known; Path=/; HttpOnly; SameSite=Strict',
      );
      this.self = { role: 'ROLE_AUTHOR', label: message.accountId, ...found };
    }
    if (found && method === 'SignOut') this.self = {};
    if (found) return answer(200, found);
    if (method === 'SignIn') {
      return answer(401, { code: 'unauthenticated', message: 'wrong' });
    }
    answer(404, { code: 'not_found', message: `there is no ${message.name}` });
  }

  #answerTo(method, message) {
    const { name, assignment } = message;
    switch (method) {
      case 'GetSystem':
        return { version: 'test' };
      case 'ListWorkers':
        return { workers: this.workers };
      case 'DrainWorker':
        return this.#setWorker(name, {
          state: 'STATE_DRAINED',
          actor: 'first admin',
          reason: message.reason,
        });
      case 'ResumeWorker':
        return this.#setWorker(name, { state: 'STATE_ACTIVE', reason: '' });
      case 'ForgetWorker':
        this.workers = this.workers.filter((each) => each.name !== name);
        return {};
      case 'GetSelf':
        return this.self;
      case 'SignIn':
        return (
          message.password === PASSWORD && {
            account: { name: `accounts/${message.accountId}` },
          }
        );
      case 'SignOut':
        return {};
      case 'GetHome':
        return this.home ?? { funnels: this.#funnels() };
      case 'ListCandidates':
        return this.#candidatesFrom(Number(message.pageToken ?? 0));
      case 'GetStatistics':
        return this.statistics;
      case 'ListAccounts':
        return {
          accounts: [
            {
              name: 'accounts/grace',
              displayName: 'Grace <b>H.</b>',
              role: 'ROLE_AUTHOR',
              sessionCount: 1,
            },
          ],
        };
      case 'GetSuite':
        return { suite: { files: this.suite }, version: 1 };
      case 'CheckSuite':
        // The page asks for the first time before it has read the suite.
        return message.suite?.files?.[0]
          ? this.#judge(message.suite.files[0])
          : { checks: [], maxPoints: 0 };
      case 'CreateAssignment': {
        const made = {
          name: `assignments/${message.assignmentId}`,
          version: 1,
          spec: message.spec,
        };
        this.assignments.set(made.name, made);
        return { assignment: made };
      }
      case 'ExtendAttempt':
      case 'PauseAttempt':
      case 'ResumeAttempt':
      case 'SetAccommodation':
        this.clockChanges.push({ method, ...message });
        return { attempt: this.#changeClock(method, message) };
      case 'CreateInvitations':
        return this.#invite(message);
      case 'UpdateAssignment': {
        if (!this.assignments.has(name)) return null;
        const { version } = this.assignments.get(name);
        return message.expectedVersion === version
          ? { assignment: { name, version: version + 1 } }
          : ABORTED;
      }
      case 'ListAssignments':
        return { assignments: [...this.assignments.values()] };
      case 'GetAssignment':
        return (
          this.assignments.has(name) && {
            assignment: this.assignments.get(name),
          }
        );
      case 'GetReference':
        this.referenceVersions.push(message.version ?? 0);
        return { reference: this.reference };
      case 'OpenReference':
        return {
          reference: this.reference ?? {
            attempt: 'attempts/att_ref',
            cloneUrl: 'http://127.0.0.1/git/rep_ref.git',
          },
          username: 'author',
          password: 'asy_reference',
        };
      case 'GradeReference': {
        const latestRun = {
          ...this.reference.run,
          name: 'runs/run_again',
          state: 'STATE_QUEUED',
          score: undefined,
        };
        this.reference = { ...this.reference, latestRun };
        return { run: latestRun };
      }
      case 'ListAttempts':
        return {
          attempts: [...this.attempts.values()].filter(
            (attempt) => !assignment || attempt.assignment === assignment,
          ),
        };
      case 'GetRun':
        return this.runs.has(name) && { run: this.runs.get(name) };
      case 'AcceptInvitation':
        return message.secret === INVITATION && { token: CANDIDATE };
      case 'GetAttempt':
        return { attempt: this.attempts.get(name) ?? this.mine };
      case 'CreateInvitation':
        this.invited.push(message);
        return { link: `http://127.0.0.1/invitation#${INVITATION}` };
      case 'RevokeInvitation': {
        this.revoked.push(name);
        const taken = this.invitations.find((each) => each.name === name);
        taken.state = 'STATE_REVOKED';
        return { invitation: taken };
      }
      case 'ListInvitations':
        return pageOf('invitations', this.invitations, message);
      case 'StartAttempt':
        this.mine = {
          ...this.mine,
          state: 'STATE_STARTED',
          cloneUrl: 'http://127.0.0.1:7080/git/r_1.git',
          clock: {
            ...this.mine.clock,
            deadline: new Date(Date.now() + 14_400_000).toISOString(),
          },
        };
        this.touch();
        return { attempt: this.mine };
      case 'CreateGitToken':
        return { username: 'x-token', password: 'only-for-git', cloneUrl: '' };
      case 'CreateTrialToken':
        return {
          username: 'candidate',
          password: this.trialPassword,
          cloneUrl: 'http://127.0.0.1:7080/git/rep_0.git',
        };
      case 'ListQuestions':
        return pageOf('questions', this.questions, message);
      case 'AskQuestion': {
        const question = {
          name: `questions/q_${this.questions.length + 1}`,
          text: message.text,
          askTime: new Date().toISOString(),
        };
        this.questions.push(question);
        return { question };
      }
      case 'AnswerQuestion': {
        const question = this.questions.find((each) => each.name === name);
        question.answer = message.answer;
        question.shared = message.share;
        question.answerTime = new Date().toISOString();
        this.touch();
        return { question };
      }
      case 'PauseForQuestion': {
        const question = this.questions.find((each) => each.name === name);
        question.paused = true;
        return { question };
      }
      case 'CreateDecision': {
        const decision = {
          ...message,
          number: this.decisions.length + 1,
          decider: 'first admin',
          decideTime: new Date().toISOString(),
        };
        this.decisions.push(decision);
        return { decision };
      }
      case 'ListDecisions':
        return { decisions: this.decisions };
      case 'GetReceipt':
        return {
          receipt: {
            statement: JSON.stringify({ commit: this.pushes.at(-1).newCommit }),
            signature: 'AAAA',
            keyId: '0011223344556677',
          },
        };
      case 'ListPushes':
        return pageOf('pushes', this.pushes, message);
      case 'ListRuns':
        return { runs: [...this.runs.values()] };
      case 'ListSubmissions':
        return { submissions: this.submissions };
      case 'CreateSubmission': {
        const { newCommit } = this.pushes.at(-1);
        const submission = {
          name: `${this.mine.name}/submissions/1`,
          commit: newCommit,
          cause: 'CAUSE_CANDIDATE',
          submitTime: new Date().toISOString(),
          aiStatement: message.aiStatement,
        };
        this.submissions.push(submission);
        return { submission };
      }
      case 'GetTimeline':
        return { entries: this.timeline };
      case 'ListNotes':
        return { notes: this.notes };
      case 'ListCommits':
        return { commits: this.commits };
      case 'GetDiff':
        this.diffsAsked.push(message);
        return this.diff;
    }
    throw new Error(`the fake does not know ${method}`);
  }

  #stream(method, message, known, request, response) {
    response.writeHead(200, { 'content-type': 'application/connect+json' });
    const frame = (flags, value) => {
      const bytes = Buffer.from(JSON.stringify(value));
      const head = Buffer.alloc(5);
      head[0] = flags;
      head.writeUInt32BE(bytes.length, 1);
      response.write(Buffer.concat([head, bytes]));
    };
    const end = (error) => {
      this.#streams.delete(stream);
      frame(2, error ? { error } : {});
      response.end();
    };
    const stream = { method, run: '', send: (value) => frame(0, value), end };
    if (!known)
      return end({ code: 'unauthenticated', message: 'no such token' });
    request.on('close', () => {});
    response.on('close', () => this.#streams.delete(stream));
    this.#streams.add(stream);
    if (method === 'WatchRuns') {
      const of = message.assignment;
      const runs = [...this.runs.values()];
      stream.send({ runs: runs.filter((run) => !of || run.assignment === of) });
      return;
    }
    stream.run = message.name;
    if (method === 'WatchAttempt') return stream.send(this.#attempt(stream));
    const after = Number(message.afterSequence ?? 0);
    for (const event of this.events.get(message.name) ?? []) {
      if (Number(event.sequence) > after) stream.send({ event });
    }
    if (this.runs.get(message.name)?.state === 'STATE_FINISHED') end();
  }
}
