// Makes a small store large: what one candidate and one run left in it, many
// times over. The rows are assayd's own, copied while it is stopped.

import { DatabaseSync } from 'node:sqlite';

export class LargeStore {
  #db;

  constructor(file) {
    this.#db = new DatabaseSync(file);
    this.#db.exec('PRAGMA foreign_keys = OFF; BEGIN');
  }

  close() {
    this.#db.exec('COMMIT');
    this.#db.close();
  }

  // `count` more people, each with all that the submitted `attempt` has.
  copyAttempt(attempt, count) {
    const { invitation } = this.#rows('attempts', 'id', attempt)[0];
    const tables = [
      ['invitations', 'id', invitation],
      ['attempts', 'id', attempt],
      ['runs', 'attempt', attempt],
      ['submissions', 'attempt', attempt],
      ['clock_events', 'attempt', attempt],
    ].map(([table, key, value]) => [table, this.#rows(table, key, value)]);
    const results = tables[2][1].flatMap(({ id }) =>
      this.#rows('check_results', 'run', id),
    );
    tables.push(['check_results', results]);
    for (let i = 0; i < count; i++) {
      for (const [table, rows] of tables) {
        for (const row of rows) this.#insert(table, person(row, table, i));
      }
    }
  }

  // Copies of the spans of a run until it has `count`; `spans` are its own, as
  // OTLP's JSON has them. Answers how many it has.
  copySpans(run, spans, count) {
    const events = this.#rows('run_events', 'run', run);
    const own = events.filter(({ content }) => holds(content, spans[0]));
    // All batches, of which the first stands for their kind.
    const batches = events.filter(({ kind }) => kind === own[0].kind);
    let { sequence } = events.reduce((a, b) =>
      b.sequence > a.sequence ? b : a,
    );
    let total = spans.length;
    for (let copy = 1; total < count; copy++, total += spans.length) {
      const renamed = renames(spans, copy);
      for (const event of batches) {
        const content = replaced(Buffer.from(event.content), renamed);
        this.#insert('run_events', { ...event, sequence: ++sequence, content });
      }
    }
    this.#db
      .prepare('UPDATE runs SET next_sequence = ? WHERE id = ?')
      .run(sequence + 1n, run);
    return total;
  }

  #rows(table, key, value) {
    const sql = `SELECT * FROM ${table} WHERE ${key} = ?`;
    const statement = this.#db.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(value);
  }

  #insert(table, row) {
    const names = Object.keys(row);
    const marks = names.map(() => '?').join();
    this.#db
      .prepare(`INSERT INTO ${table} (${names}) VALUES (${marks})`)
      .run(...Object.values(row));
  }
}

// The row of another person: every id with their number at its end.
function person(row, table, i) {
  const mine = { ...row };
  const number = String(i).padStart(6, '0');
  for (const key of ['id', 'attempt', 'invitation', 'run', 'push']) {
    if (typeof mine[key] === 'string' && mine[key]) {
      mine[key] = mine[key].slice(0, -6) + number;
    }
  }
  if (mine.secret_hash) mine.secret_hash = mine.secret_hash.slice(6) + number;
  if (mine.candidate_name) {
    mine.candidate_name = `Person ${i}`;
    mine.candidate_email = `person${i}@example.org`;
  }
  // One repository serves one attempt, and these have none.
  if (table === 'attempts') mine.repository = '';
  return mine;
}

function holds(content, span) {
  return Buffer.from(content).includes(Buffer.from(span.spanId, 'hex'));
}

// What of a copy's bytes differs: its ids, and its times, which come after those
// of the copy before.
function renames(spans, copy) {
  const times = spans.map((span) => BigInt(span.endTimeUnixNano));
  const first = BigInt(spans[0].startTimeUnixNano);
  const length = times.reduce((a, b) => (a > b ? a : b)) - first;
  const shift = (length + 1_000_000n) * BigInt(copy);
  const renamed = new Map();
  for (const span of spans) {
    const id = Buffer.from(span.spanId, 'hex');
    const other = Buffer.from(id);
    other.writeUInt32BE((id.readUInt32BE(0) + copy * 0x01000193) >>> 0, 0);
    renamed.set(id.toString('latin1'), other);
    for (const time of [span.startTimeUnixNano, span.endTimeUnixNano]) {
      renamed.set(
        fixed64(BigInt(time)).toString('latin1'),
        fixed64(BigInt(time) + shift),
      );
    }
  }
  return renamed;
}

function fixed64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

// Ids and times are eight bytes each, and random or large enough to be found by
// their bytes.
function replaced(bytes, renamed) {
  for (let at = 0; at + 8 <= bytes.length;) {
    const other = renamed.get(bytes.toString('latin1', at, at + 8));
    if (other) other.copy(bytes, at);
    at += other ? 8 : 1;
  }
  return bytes;
}
