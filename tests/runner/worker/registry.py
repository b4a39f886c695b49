"""A package registry with one package, on this machine's loopback.

    registry.py DIRECTORY

Writes DIRECTORY/package.json, package-lock.json and, when it listens, the port
into DIRECTORY.port; each path that is asked for is a line of DIRECTORY.asked.
Serves until standard input ends. Nothing here comes from the network.
"""

import base64
import hashlib
import http.server
import io
import json
import os
import pathlib
import sys
import tarfile
import threading

NAME = "tiny-greeting"
VERSION = "1.0.0"


def package():
    files = {"package/package.json": json.dumps({"name": NAME, "version": VERSION}),
             "package/index.js": "module.exports = 'hello from the registry'\n"}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def main():
    directory = pathlib.Path(sys.argv[1])
    tarball = package()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    asked = open(f"{directory}.asked", "w", encoding="utf-8")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            print(self.path, file=asked, flush=True)
            if self.path.endswith(".tgz"):
                return self.answer(tarball, "application/octet-stream")
            version = {"name": NAME, "version": VERSION,
                       "dist": {"tarball": f"{url}/{NAME}/-/{NAME}-{VERSION}.tgz",
                                "integrity": integrity}}
            self.answer(json.dumps({"name": NAME, "dist-tags": {"latest": VERSION},
                                    "versions": {VERSION: version}}).encode(),
                        "application/json")

        def answer(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}"
    root = {"name": "solution", "version": "1.0.0", "dependencies": {NAME: VERSION}}
    (directory / "package.json").write_text(json.dumps(root))
    (directory / "package-lock.json").write_text(json.dumps({
        "name": "solution", "version": "1.0.0", "lockfileVersion": 3,
        "packages": {"": root, f"node_modules/{NAME}": {
            "version": VERSION, "integrity": integrity,
            "resolved": f"{url}/{NAME}/-/{NAME}-{VERSION}.tgz"}}}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # In place at once, so that whoever waits for it never reads half of it.
    pathlib.Path(f"{directory}.new").write_text(str(server.server_port))
    os.rename(f"{directory}.new", f"{directory}.port")
    sys.stdin.read()


main()
