// pack.mjs DIST OUT: turns what Vite built into what the C++ program embeds:
// `assets.bin` with all bytes, and `assets.cc` with the table over them.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

const [dist, out] = process.argv.slice(2);
const blobs = [];
let size = 0;

// Where `bytes` stand in assets.bin, as a C++ string_view.
function place(bytes) {
  const view = `{kBytes + ${size}, ${bytes.length}}`;
  blobs.push(bytes);
  size += bytes.length;
  return view;
}

function row(file) {
  const name = '/' + path.relative(dist, file).split(path.sep).join('/');
  const type = TYPES[path.extname(file)];
  if (!type) throw new Error(`pack.mjs: no content type for ${name}`);
  const bytes = fs.readFileSync(file);
  const gzipped = zlib.gzipSync(bytes, { level: 9 });
  const digest = crypto.createHash('sha256').update(bytes).digest('hex');
  const etag = `"\\"${digest.slice(0, 32)}\\""`;
  const immutable = name.startsWith('/assets/');
  const gzip = gzipped.length < bytes.length ? place(gzipped) : '{}';
  return (
    `    {${JSON.stringify(name)}, ${JSON.stringify(type)}, ${etag},\n` +
    `     ${place(bytes)}, ${immutable}, ${gzip}},\n`
  );
}

function filesBelow(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((file) => fs.statSync(file).isFile())
    .sort();
}

const rows = filesBelow(dist).map(row).join('');
fs.writeFileSync(path.join(out, 'assets.bin'), Buffer.concat(blobs));
fs.writeFileSync(
  path.join(out, 'assets.cc'),
  `// Written by services/dashboard/tools/pack.mjs.
#include "services/dashboard/assets.h"

extern "C" const char assay_dashboard_bytes[];

namespace assay::dashboard {

gateway::Assets Assets() {
  static const char* const kBytes = assay_dashboard_bytes;
  static const gateway::Asset kAssets[] = {
${rows}  };
  return kAssets;
}

}  // namespace assay::dashboard
`,
);
