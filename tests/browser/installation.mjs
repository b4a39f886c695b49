// A real installation for browser tests: `assay up` in a temporary directory.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const BIN = process.env.ASSAY_BIN_DIR;
export const SAMPLE = path.resolve(
  import.meta.dirname,
  '../../docs/examples/orders-api',
);

export class Installation {
  #scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'assay-browser.'));
  #up = null;
  #web = '0';
  origin = '';

  async start(...flags) {
    const command = ['--data-dir', this.data, 'up', '--json', ...flags];
    // The same port again, so that open pages find the server back.
    command.push('--grpc-port', '0', '--web-port', this.#web);
    this.#up = spawn(path.join(BIN, 'assay'), command, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = readline.createInterface({ input: this.#up.stdout });
    for await (const line of lines) {
      this.origin = JSON.parse(line).web;
      this.#web = new URL(this.origin).port;
      return;
    }
    throw new Error('assay up ended before it served');
  }

  async stop() {
    if (this.#up.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#up.once('exit', resolve));
    this.#up.kill('SIGTERM');
    await ended;
  }

  remove() {
    fs.rmSync(this.#scratch, { recursive: true, force: true });
  }

  get data() {
    return path.join(this.#scratch, 'data');
  }

  get adminToken() {
    return fs.readFileSync(path.join(this.data, 'admin.token'), 'utf8').trim();
  }

  // A folder of the test's own.
  folder(name) {
    return path.join(this.#scratch, name);
  }

  // The answer of a command, as JSON.
  assay(...words) {
    return this.assayWithInput('', ...words);
  }

  assayWithInput(input, ...words) {
    const options = ['--data-dir', this.data, '--json'];
    return JSON.parse(
      execFileSync(path.join(BIN, 'assay'), [...options, ...words], {
        input,
        maxBuffer: 64 << 20,
      }),
    );
  }

  git(folder, ...words) {
    const [command, options] = this.#gitCommand(folder, words);
    return execFileSync('git', command, { ...options, encoding: 'utf8' });
  }

  // Starts git and does not wait for it.
  gitInBackground(folder, ...words) {
    const [command, options] = this.#gitCommand(folder, words);
    return spawn('git', command, { ...options, stdio: 'ignore' });
  }

  #gitCommand(folder, words) {
    const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
    const env = {
      ...process.env,
      HOME: this.#scratch,
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_NOSYSTEM: '1',
    };
    return [[...who, '-C', folder, ...words], { env }];
  }
}
