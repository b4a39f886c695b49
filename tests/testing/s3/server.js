// An S3 server for tests: s3rver, which checks signatures, behind a front that
// checks what s3rver leaves out (unsigned requests, the digest of the body, the
// region, the end of uploads in parts) and breaks what it is told to.
//
// node server.js DIRECTORY REGION [PORT [HOST]]: prints "ready PORT".
//   PUT /-/fault  {"kind", "method", "match", "times", "skip"}: breaks requests
//   GET /-/log    what came since, "METHOD /path STATUS" lines, and forgets it
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const S3rver = require('@20minutes/s3rver');

const [, , directory, region, port = '0', host = '127.0.0.1'] = process.argv;
let faults = [];
let log = [];

const s3 = new S3rver({ directory, silent: true, configureBuckets: [{ name: 'blobs' }] });

function refuse(res, status, code, more = '', fields = {}) {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>told to</Message>${more}</Error>`;
  res.writeHead(status, { 'content-type': 'application/xml', ...fields });
  res.end(body);
}

function takeFault(method, url) {
  const fault = faults.find(
    (f) => f.times > 0 && (!f.method || f.method === method) && url.includes(f.match ?? ''),
  );
  if (!fault) return '';
  if (fault.skip-- > 0) return '';
  fault.times -= 1;
  return fault.kind;
}

// s3rver has no AbortMultipartUpload: it answers 405 once the signature is right.
function abortUpload(url) {
  const id = url.searchParams.get('uploadId');
  const uploads = path.join(directory, 'blobs', '._S3rver_uploads', id.replace(/[^0-9a-f]/g, ''));
  const there = fs.existsSync(uploads);
  fs.rmSync(uploads, { recursive: true, force: true });
  return there;
}

function forward(inner, req, body, res, fault) {
  const headers = { ...req.headers, 'content-length': body.length };
  delete headers['transfer-encoding'];
  delete headers.expect;
  const onward = http.request(
    { port: inner, host: '127.0.0.1', method: req.method, path: req.url, headers },
    (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        let content = Buffer.concat(chunks);
        let status = answer.statusCode;
        const url = new URL(req.url, 'http://front');
        if (req.method === 'DELETE' && url.searchParams.has('uploadId') && status === 405) {
          if (!abortUpload(url)) return refuse(res, 404, 'NoSuchUpload');
          status = 204;
          content = Buffer.alloc(0);
          delete answer.headers['content-length'];
        }
        log.push(`${req.method} ${req.url} ${status}`);
        if (fault === 'lose_answer') return req.socket.destroy();
        if (fault === 'garble' && content.length > 0) content[0] ^= 1;
        res.writeHead(status, answer.headers);
        if (fault !== 'cut_answer') return res.end(content);
        res.write(content.subarray(0, content.length / 2), () => req.socket.destroy());
      });
    },
  );
  onward.on('error', () => req.socket.destroy());
  onward.end(body);
}

function control(req, res, body) {
  if (req.method === 'PUT') {
    const fault = JSON.parse(body.toString());
    faults = fault.kind ? [...faults, { times: 1, skip: 0, ...fault }] : [];
    res.end();
    return;
  }
  res.end(log.map((line) => `${line}\n`).join(''));
  log = [];
}

function serve(inner, req, res) {
  const own = req.url.startsWith('/-/');
  const fault = own ? '' : takeFault(req.method, req.url);
  const chunks = [];
  req.on('error', () => {});
  req.on('data', (chunk) => {
    chunks.push(chunk);
    if (fault === 'cut_upload') {
      log.push(`${req.method} ${req.url} cut`);
      req.socket.destroy();
    }
  });
  req.on('end', () => {
    const body = Buffer.concat(chunks);
    if (own) return control(req, res, body);
    if (fault === 'hang') return log.push(`${req.method} ${req.url} hang`);
    if (fault === 'slow_down') {
      log.push(`${req.method} ${req.url} 503`);
      return refuse(res, 503, 'SlowDown', '', { 'retry-after': '0' });
    }
    if (fault === 'skewed') {
      const date = new Date(Date.now() + 3600e3).toUTCString();
      return refuse(res, 403, 'RequestTimeTooSkewed', '', { date });
    }
    if (fault === 'late_error') return refuse(res, 200, 'InternalError');
    if (fault === 'denied') return refuse(res, 403, 'AccessDenied');
    const authorization = req.headers.authorization ?? '';
    const scope = /Credential=[^/]+\/\d+\/([^/]+)\/s3\/aws4_request/.exec(authorization);
    if (!scope) return refuse(res, 403, 'AccessDenied');
    if (scope[1] !== region)
      return refuse(res, 400, 'AuthorizationHeaderMalformed', `<Region>${region}</Region>`);
    const digest = createHash('sha256').update(body).digest('hex');
    if (req.headers['x-amz-content-sha256'] !== digest)
      return refuse(res, 400, 'XAmzContentSHA256Mismatch');
    forward(inner, req, body, res, fault);
  });
}

s3.configureBuckets().then(() => {
  const inside = http.createServer(s3.callback()).listen(0, '127.0.0.1', () => {
    const inner = inside.address().port;
    const front = http.createServer((req, res) => serve(inner, req, res));
    front.listen(Number(port), host, () => console.log(`ready ${front.address().port}`));
  });
});
