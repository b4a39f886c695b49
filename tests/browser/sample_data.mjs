// What a small installation holds: the sample's final run with its two planted
// faults, one run under way, and candidates who try strings of all kinds.

const START = Date.parse('2026-03-02T09:00:00Z');
const at = (milliseconds) => new Date(START + milliseconds).toISOString();
export const base64 = (text) => Buffer.from(text).toString('base64');

export const ASSIGNMENT = {
  name: 'assignments/orders-api',
  version: 1,
  spec: {
    title: 'Orders API',
    brief: '# Orders API\n\nYou build the order service of a small shop.',
    duration: '14400s',
    grace: '120s',
  },
  templateCommit: '5d1c7a90e2b84d1f0c3a6b7e8f9012345678abcd',
  maxPoints: 100,
  checkCount: 10,
  invitationCount: 3,
  attemptCount: 2,
  submittedCount: 1,
};

export const ATTEMPT = {
  name: 'attempts/at_7f3a',
  assignment: ASSIGNMENT.name,
  state: 'STATE_SUBMITTED',
  clock: {
    startTime: at(0),
    deadline: at(14_400_000),
    duration: '14400s',
    accommodation: 1,
  },
  candidateName: 'Ada Lovelace',
  candidateEmail: 'ada@example.org',
  pushCount: 4,
  latestRun: 'runs/run_final',
};

const check = (checkId, title, points, more = {}) => ({
  checkId,
  title,
  verdict: 'VERDICT_PASSED',
  points,
  earned: points,
  duration: '0.128s',
  position: 'assay.yaml:58:5',
  steps: [
    step('POST /auth/register', '0.041s'),
    step('POST /auth/login', '0.038s'),
    step('POST /orders', '0.009s'),
  ],
  ...more,
});
const step = (title, duration, more = {}) => ({
  title,
  duration,
  verdict: 'VERDICT_PASSED',
  position: 'assay.yaml:62:9',
  ...more,
});

const oversold =
  'expected 10 × 201 and 40 × 409, found 31 × 201 and 19 × 409 among 50 answers';
const manyQueries =
  'GET /orders ran 21 statements, expected at most 5; one statement ran 20 times';

export const CHECKS = [
  check('create-order', 'Creating an order returns it and stores it', 12),
  check('order-ships', 'A created order is shipped in the background', 8),
  check(
    'rejects-bad-input',
    'Invalid orders are rejected with problem+json',
    9,
    {
      hidden: true,
      cases: ['zero quantity', 'unknown sku', 'no lines'].map((name) => ({
        name,
        verdict: 'VERDICT_PASSED',
      })),
    },
  ),
  check(
    'never-oversells',
    'Fifty buyers at once never buy more than the stock',
    15,
    {
      hidden: true,
      verdict: 'VERDICT_FAILED',
      earned: 0,
      reason: oversold,
      steps: [
        step('POST /auth/login', '0.040s'),
        step('burst of 50 × POST /orders', '0.310s', {
          verdict: 'VERDICT_FAILED',
          reason: oversold,
          position: 'assay.yaml:168:9',
        }),
      ],
    },
  ),
  check(
    'few-queries',
    'Listing twenty orders takes a handful of statements',
    10,
    {
      hidden: true,
      verdict: 'VERDICT_FAILED',
      earned: 0,
      reason: manyQueries,
      // As sampleSpans() numbers them.
      spanId: '0000000400000000',
      steps: [
        step('GET /orders', '0.090s', {
          position: 'assay.yaml:224:9',
          spanId: '0000000500000000',
        }),
      ],
    },
  ),
];

export const FINAL_RUN = {
  name: 'runs/run_final',
  attempt: ATTEMPT.name,
  assignment: ASSIGNMENT.name,
  assignmentVersion: 1,
  kind: 'KIND_FINAL',
  state: 'STATE_FINISHED',
  outcome: 'OUTCOME_COMPLETED',
  commit: '3fa9c2d17b604c8e9d1a2b3c4d5e6f7081920a1b',
  queueTime: at(14_400_000),
  startTime: at(14_400_040),
  finishTime: at(14_408_240),
  score: { earned: 75, max: 100 },
  checks: CHECKS,
  epoch: '1',
};

export const LIVE_RUN = {
  name: 'runs/run_live',
  attempt: 'attempts/at_91bc',
  assignment: ASSIGNMENT.name,
  kind: 'KIND_PUSH',
  state: 'STATE_RUNNING',
  commit: 'b7e0442f5a6b7c8d9e0f1a2b3c4d5e6f70819202',
  queueTime: new Date(Date.now() - 4_000).toISOString(),
  startTime: new Date(Date.now() - 3_900).toISOString(),
  epoch: '1',
};

// What must be shown as text and do nothing.
export const HOSTILE = [
  '<script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 1">',
  '<a href="javascript:window.hacked=1">x</a> data:text/html,<script>hacked=1</script>',
  '\x1b]8;;http://outside.test/\x07link\x1b]8;;\x07 \x1b[31mred\x1b[0m \x1b[2J\x1b[999;999H',
  'invoice\u202Efdp.exe \u2066hidden\u2069 \u0000\u0007\u0008',
  '![x](http://outside.test/pixel.png)',
];

let spanNumber = 0;
function span(parent, name, start, end, attributes = {}, more = {}) {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(++spanNumber, 0);
  const nanos = (milliseconds) =>
    String(
      BigInt(START + 14_400_000) * 1_000_000n +
        BigInt(Math.round(milliseconds * 1e6)),
    );
  return {
    spanId: bytes.toString('base64'),
    parentSpanId: parent?.spanId ?? '',
    name,
    kind: 'SPAN_KIND_INTERNAL',
    startTimeUnixNano: nanos(start),
    endTimeUnixNano: nanos(end),
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: { stringValue: value },
    })),
    ...more,
  };
}

function sampleSpans() {
  spanNumber = 0;
  const run = span(null, 'run', 0, 8200);
  const build = span(run, 'build', 20, 140);
  const checks = span(run, 'checks', 620, 8100);
  const one = span(checks, 'check few-queries', 6800, 7400);
  const request = span(
    one,
    'GET /orders',
    7300,
    7390,
    {
      'http.request.method': 'GET',
      'url.path': '/orders',
      'http.response.status_code': '200',
      'assay.http.request':
        'accept: application/json\nauthorization: [hidden]\n',
      'assay.http.response':
        'content-type: application/json\n\n[{"id": 7, "status": "shipped"}]',
    },
    {
      kind: 'SPAN_KIND_CLIENT',
    },
  );
  const sql = { 'db.system.name': 'postgresql' };
  const statements = Array.from({ length: 20 }, (_, i) =>
    span(request, 'SELECT', 7302 + 4 * i, 7305 + 4 * i, {
      ...sql,
      'db.query.text': `select o.id, o.status from orders o where o.id = '${i}'`,
    }),
  );
  const failed = span(
    checks,
    'check never-oversells',
    5200,
    6400,
    {},
    {
      status: { code: 'STATUS_CODE_ERROR', message: oversold },
    },
  );
  const odd = HOSTILE.map((text, i) =>
    span(failed, text, 5300 + i, 5400 + i, { [text]: text }),
  );
  const fault = span(failed, 'latency db', 5600, 6200, {
    'assay.fault.target': 'db',
    'assay.fault.action': 'latency',
  });
  const load = span(checks, 'load /stock', 7500, 8000, {
    'assay.load.p50': '1.20 ms',
    'assay.load.p99': '9.80 ms',
    'assay.load.histogram_us': '1279:400 1535:90 2047:12 10239:3',
  });
  const slow = span(load, 'GET /stock', 7600, 7609.8, {
    'assay.load.request': '17',
  });
  return [
    ...[run, build, checks, failed, ...odd, fault, load, slow],
    ...[one, request, ...statements],
  ];
}

export function finalEvents() {
  const phase = (name, start, end) => [
    { time: at(14_400_000 + start), phaseStarted: { phase: name } },
    { time: at(14_400_000 + end), phaseFinished: { phase: name, ok: true } },
  ];
  const log = HOSTILE.concat(
    Array.from({ length: 400 }, (_, i) => `"POST /orders HTTP/1.1" 201 - ${i}`),
  );
  return [
    ...phase('materialise', 0, 12),
    ...phase('build', 20, 140),
    {
      log: {
        stream: 'build',
        offset: '0',
        content: base64('compiled 7 files\n'),
      },
    },
    ...phase('sidecars', 140, 420),
    ...phase('start', 420, 600),
    {
      log: {
        stream: 'service',
        offset: '0',
        content: base64(log.join('\n') + '\n'),
      },
    },
    { time: at(14_400_620), phaseStarted: { phase: 'checks' } },
    ...CHECKS.map((result) => ({ checkFinished: { result } })),
    { spans: { spans: sampleSpans() } },
    { time: at(14_408_100), phaseFinished: { phase: 'checks', ok: true } },
    ...phase('teardown', 8100, 8200),
    { finished: { outcome: 'OUTCOME_COMPLETED' } },
  ];
}

export const INVITED = {
  name: 'invitations/inv_1',
  assignment: ASSIGNMENT.name,
  candidateName: 'Grace Hopper',
  candidateEmail: 'grace@example.org',
  state: 'STATE_PENDING',
  createTime: at(0),
  expireTime: new Date(Date.now() + 864_000_000).toISOString(),
};

export const CANDIDATE = {
  invitation: 'invitations/inv_0',
  attempt: ATTEMPT.name,
  candidateName: ATTEMPT.candidateName,
  candidateEmail: ATTEMPT.candidateEmail,
  state: 'STATE_SUBMITTED',
  inviteTime: at(-86_400_000),
  startTime: at(0),
  deadline: at(14_400_000),
  submitTime: at(14_400_000),
  assignmentVersion: 1,
  accommodation: 1,
  pushCount: 4,
  submissionCount: 1,
  latestRun: 'runs/run_final',
  finalRun: 'runs/run_final',
  earnedPoints: 75,
  maxPoints: 100,
};

// Ten thousand of whom each differs from the others in all that is sorted by.
export function manyCandidates(count) {
  const states = ['INVITED', 'STARTED', 'SUBMITTED', 'DECIDED'];
  return Array.from({ length: count }, (_, i) => ({
    ...CANDIDATE,
    invitation: `invitations/inv_${i}`,
    attempt: `attempts/att_${i}`,
    candidateName: `Candidate ${String(i).padStart(5, '0')}`,
    candidateEmail: `person${i}@example.org`,
    state: `STATE_${states[i % 4]}`,
    submitTime: at(i * 60_000),
    earnedPoints: (i * 7919) % 101,
  }));
}

const STATISTICS = {
  scored: 12,
  meanPercent: 62.5,
  medianPercent: 68,
  scores: [0, 0, 1, 1, 1, 2, 2, 3, 1, 1].map((count, i) => ({
    fromPercent: i * 10,
    toPercent: i * 10 + 10,
    count,
  })),
  decisions: {
    count: 9,
    median: '93600s',
    p90: '259200s',
    open: 3,
    longestOpen: '172800s',
  },
};

export function fill(server) {
  server.candidates.push({ ...CANDIDATE });
  server.statistics = {
    ...STATISTICS,
    checks: CHECKS.map(({ checkId, title, points, hidden }, i) => ({
      checkId,
      title,
      points,
      hidden,
      passed: 11 - 2 * i,
      failed: 2 * i,
      other: i === 0 ? 1 : 0,
      discrimination: [undefined, 0.61, 0.44, 0.72, 0.05][i],
      medianDuration: '0.130s',
    })),
  };
  server.invitations.push({ ...INVITED });
  // Copies: a test changes what is its own.
  server.assignments.set(ASSIGNMENT.name, structuredClone(ASSIGNMENT));
  server.attempts.set(ATTEMPT.name, structuredClone(ATTEMPT));
  server.putRun(FINAL_RUN);
  server.putRun(LIVE_RUN);
  for (const event of finalEvents()) server.tell(FINAL_RUN.name, event);
}

// Two pushes; the second locks rows, and says why.
export function fillCode(server) {
  const push = (number, digit, subject, run) => ({
    name: `attempts/at_7f3a/pushes/${number}`,
    newCommit: digit.repeat(40),
    receiveTime: new Date(Date.now() - (3 - number) * 3_600_000).toISOString(),
    state: 'STATE_ACCEPTED',
    subject,
    run,
  });
  server.pushes.push(
    push(1, 'a', 'Orders are stored', ''),
    push(2, 'b', 'Lock stock rows', FINAL_RUN.name),
  );
  const patch = [
    '@@ -14,9 +14,12 @@ def create_order(connection, order):',
    '     with connection.transaction():',
    '-        for line in order.lines:',
    '-            left = stock_of(connection, line.sku)',
    '-            if left < line.quantity:',
    '-                raise OutOfStock(line.sku)',
    '-            set_stock(connection, line.sku, left - line.quantity)',
    '+        # In the order of their names: two orders cannot wait for each other.',
    '+        for line in sorted(order.lines, key=lambda line: line.sku):',
    '+            taken = connection.execute(',
    '+                "UPDATE stock SET quantity = quantity - %s"',
    '+                " WHERE sku = %s AND quantity >= %s",',
    '+                (line.quantity, line.sku, line.quantity))',
    '+            if taken.rowcount == 0:',
    '+                raise OutOfStock(line.sku)',
    '         insert_order(connection, order)',
    '     return order',
    '',
  ].join('\n');
  const added = '@@ -0,0 +1,2 @@\n+# Decisions\n+See below.\n';
  server.diff = {
    addedLines: 10,
    removedLines: 5,
    files: [
      {
        kind: 'KIND_MODIFIED',
        oldPath: 'shop/orders.py',
        newPath: 'shop/orders.py',
        addedLines: 8,
        removedLines: 5,
        patch: base64(patch),
      },
      {
        kind: 'KIND_ADDED',
        newPath: 'DECISIONS.md',
        newMode: 0o100644,
        addedLines: 2,
        patch: base64(added),
      },
      { kind: 'KIND_RENAMED', oldPath: 'db.py', newPath: 'shop/database.py' },
    ],
  };
  server.notes = [
    {
      path: 'DECISIONS.md',
      content: base64(
        '# Decisions\n\nStock is taken by **one statement** a line, so that fifty buyers at once cannot oversell.\n\nLines are sorted: without that, two orders could deadlock.\n',
      ),
    },
  ];
  server.commits = [
    {
      commit: 'b'.repeat(40),
      subject: 'Lock stock rows',
      body: 'One statement takes the stock.',
      authorTime: new Date(Date.now() - 3_700_000).toISOString(),
    },
  ];
}

// The files of a suite that has one.
export const suite = (text) => [
  { path: 'assay.yaml', mode: 0o100644, content: base64(text) },
];

export function pushOf(number, digit) {
  return {
    name: `attempts/at_7f3a/pushes/${number}`,
    newCommit: digit.repeat(40),
    receiveTime: new Date(2026, 2, 2, 9, number).toISOString(),
    state: 'STATE_ACCEPTED',
    subject: `Push ${number}`,
  };
}
