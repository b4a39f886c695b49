// A PostgreSQL client in one page: extended protocol, text format, trust or
// clear-text password. Debian packages no client for Node, and this service
// is to run on what a bare machine has.

import net from 'node:net';

const POOL_SIZE = 8;

// The server answered with an error; `code` is its SQLSTATE.
export class DatabaseError extends Error {
  constructor(fields) {
    super(fields.get('M'));
    this.code = fields.get('C');
  }
}

class Connection {
  #socket;
  #buffer = Buffer.alloc(0);
  #pending = null;
  broken = false;

  static async open(url) {
    const connection = new Connection();
    const { hostname, port, username, password, pathname } = new URL(url);
    connection.#socket = net.connect(Number(port || 5432), hostname);
    connection.#socket.setNoDelay(true);
    connection.#socket.on('data', (chunk) => connection.#receive(chunk));
    const lost = () => connection.#fail(new Error('connection lost'));
    connection.#socket.on('error', lost).on('close', lost);
    const settings = ['user', decodeURIComponent(username), 'database',
      pathname.slice(1), ''];
    const body = Buffer.from(settings.join('\0') + '\0');
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 8, 0);
    head.writeInt32BE(196608, 4); // protocol 3.0
    await connection.#exchange(Buffer.concat([head, body]), {
      password: decodeURIComponent(password),
    });
    return connection;
  }

  // Rows as arrays of strings and nulls.
  query(statement, values = []) {
    const bound = values.map((value) => {
      if (value === null) return int32(-1);
      const text = Buffer.from(String(value));
      return Buffer.concat([int32(text.length), text]);
    });
    return this.#exchange(Buffer.concat([
      message('P', Buffer.from(`\0${statement}\0`), int16(0)),
      message('B', Buffer.from('\0\0'), int16(0), int16(values.length),
        ...bound, int16(0)),
      message('D', Buffer.from('P\0')),
      message('E', Buffer.from('\0'), int32(0)),
      message('S'),
    ]));
  }

  #exchange(bytes, extra = {}) {
    if (this.broken) return Promise.reject(new Error('connection lost'));
    return new Promise((resolve, reject) => {
      this.#pending = { rows: [], error: null, resolve, reject, ...extra };
      this.#socket.write(bytes);
    });
  }

  #receive(chunk) {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= 5) {
      const end = 1 + this.#buffer.readInt32BE(1);
      if (this.#buffer.length < end) return;
      const type = String.fromCharCode(this.#buffer[0]);
      const body = this.#buffer.subarray(5, end);
      this.#buffer = this.#buffer.subarray(end);
      this.#handle(type, body);
    }
  }

  #handle(type, body) {
    const pending = this.#pending;
    if (type === 'R') return this.#authenticate(body.readInt32BE(0));
    if (type === 'D') pending?.rows.push(row(body));
    if (type === 'E' && pending) pending.error = new DatabaseError(fields(body));
    // An error during the start is not followed by "ready".
    if (type === 'Z' || (type === 'E' && pending && 'password' in pending)) {
      this.#pending = null;
      if (pending?.error) pending.reject(pending.error);
      else pending?.resolve(pending.rows);
    }
  }

  #authenticate(kind) {
    if (kind === 0) return;
    if (kind === 3) {
      const password = Buffer.from(`${this.#pending.password}\0`);
      this.#socket.write(message('p', password));
    } else {
      this.#fail(new Error(`authentication method ${kind} is not supported`));
    }
  }

  #fail(error) {
    this.broken = true;
    this.#socket.destroy();
    this.#pending?.reject(error);
    this.#pending = null;
  }
}

// Connections that are opened when needed, `POOL_SIZE` at most.
export class Pool {
  #url;
  #idle = [];
  #count = 0;
  #waiting = [];

  constructor(url) {
    this.#url = url;
  }

  // Runs `work` with a connection of its own.
  async use(work) {
    const connection = await this.#take();
    try {
      return await work(connection);
    } finally {
      this.#giveBack(connection);
    }
  }

  query(statement, values) {
    return this.use((connection) => connection.query(statement, values));
  }

  // What `work` does is committed together, or not at all.
  transaction(work) {
    return this.use(async (connection) => {
      await connection.query('begin');
      try {
        const result = await work(connection);
        await connection.query('commit');
        return result;
      } catch (error) {
        if (!connection.broken) await connection.query('rollback');
        throw error;
      }
    });
  }

  async #take() {
    while (this.#idle.length === 0 && this.#count >= POOL_SIZE) {
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
    if (this.#idle.length > 0) return this.#idle.pop();
    this.#count++;
    try {
      return await Connection.open(this.#url);
    } catch (error) {
      this.#count--;
      this.#waiting.shift()?.();
      throw error;
    }
  }

  #giveBack(connection) {
    if (connection.broken) this.#count--;
    else this.#idle.push(connection);
    this.#waiting.shift()?.();
  }
}

function message(type, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function row(body) {
  const values = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(length, 0);
  }
  return values;
}

function fields(body) {
  const found = new Map();
  for (const field of body.toString('utf8').split('\0')) {
    if (field) found.set(field[0], field.slice(1));
  }
  return found;
}
