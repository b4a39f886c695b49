// An assignment whose runs take no time: a service that answers for the paths
// that a file names, and four checks that ask for one path each.

import fs from 'node:fs';
import path from 'node:path';

const SERVER = `import http.server
done = open("done").read().split()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path[1:]
        self.send_response(200 if name in done + ["healthz"] else 404)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
`;

export const POINTS = { a: 40, b: 30, c: 20, d: 10 };

const check = ([id, points]) => `  - id: ${id}
    title: "<b>${id}</b> is answered"
    points: ${points}
    visibility: ${id === 'd' ? 'hidden' : 'public'}
    steps:
      - get: /${id}
        expect: { status: 200 }
`;

const SUITE = `version: 1
name: Four paths
limits: { run: 60s, check: 10s, request: 5s }
service:
  start: { run: ./run.sh }
  ready: { get: /healthz, within: 30s }
checks:
${Object.entries(POINTS).map(check).join('')}`;

export function writeSmallAssignment(folder) {
  const write = (name, content, mode = 0o644) => {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content, { mode });
  };
  write('assignment.yaml', 'title: Four paths\nduration: 1h\n');
  write('brief.md', '# Four paths\n\nAnswer them.\n');
  write('suite/assay.yaml', SUITE);
  write('template/run.sh', '#!/bin/sh\nexec python3 server.py\n', 0o755);
  write('template/server.py', SERVER);
  write('template/done', '\n');
}
