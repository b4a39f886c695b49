"""A client that leaves a push or a fetch at a chosen moment. It speaks the
protocol by hand, so that the moment is exactly that one."""

import base64
import gzip
import hashlib
import http.client
import re
import socket
import struct
import time
import zlib

from server import Lost

# What is left by then: nothing may have happened, whoever dies meanwhile.
BEFORE = (
    "connected", "asking", "advertised", "heading", "listing", "listed",
    "packing", "chunking", "zipping", "last byte", "probed", "fetch: asking",
    "fetch: told")
# The request is whole: all of it happens, or nothing.
AFTER = ("sent", "reset", "answered", "reported")
STAGES = BEFORE + AFTER


def packet(text):
    data = text.encode()
    return b"%04x" % (len(data) + 4) + data


def pack_of(commit):
    """A pack with one commit, which is less than git's largest short one."""
    size, kind = len(commit), 1
    head, size = bytearray([kind << 4 | size & 15]), size >> 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    data = b"PACK" + struct.pack(">II", 2, 1) + head + zlib.compress(commit)
    return data + hashlib.sha1(data).digest()


class Leaver:
    """Pushes to the repository of `candidate`, who has it to themselves."""

    def __init__(self, candidate):
        self.candidate = candidate
        self.base, self.tree = candidate.git(
            "rev-parse", "HEAD", "HEAD^{tree}").stdout.split()

    def leave(self, stage, serial):
        """Answers with (commit, answer, said) for a history; commit is "" where
        none was on its way."""
        commit, body = self.prepare(serial)
        if stage == "connected":
            self.send(b"")
        elif stage == "asking":
            self.send(self.head("GET", "info/refs?service=git-receive-pack")[:60])
        elif stage == "advertised":
            self.send(self.head("GET", "info/refs?service=git-receive-pack"), b"200")
        elif stage == "probed":
            self.send(self.post(b"0000"), b"200")
        elif stage.startswith("fetch: "):
            self.fetch(stage)
        elif stage in BEFORE:
            self.send(self.part(stage, body))
            return commit, "cut", ""
        else:
            return commit, *self.whole(stage, body)
        return "", "", ""

    def part(self, stage, body):
        whole, head = self.post(body), self.post(body)[:-len(body)]
        listed = body.index(b"0000PACK")
        if stage == "chunking":
            return (self.head("POST", "git-receive-pack", chunked=True) +
                    b"%x\r\n" % len(body) + body + b"\r\n")
        if stage == "zipping":
            return self.post(gzip.compress(body), zipped=True)[:-9]
        return whole[:{
            "heading": len(head) // 2, "listing": len(head) + listed // 2,
            "listed": len(head) + listed + 4, "packing": len(whole) - 40,
            "last byte": len(whole) - 1}[stage]]

    def whole(self, stage, body):
        until = {"sent": None, "reset": None, "answered": b"200",
                 "reported": b"Received"}[stage]
        said = self.send(self.post(body), until, reset=stage == "reset")
        text = said.decode(errors="replace")
        told = re.search(r"[Rr]eceived (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC",
                         text)
        if stage == "reported" and "ok refs/heads/main" in text and told:
            return "ok", told[1]
        return "unknown", text

    def prepare(self, serial):
        """A new commit on main as it is, and the request that pushes it."""
        host, port = self.candidate.server.web.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        try:
            connection.request(
                "GET", f"/{self.candidate.path}/info/refs?service=git-receive-pack",
                headers={"Authorization": self.login()})
            refs = connection.getresponse().read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Lost(str(error)) from error
        finally:
            connection.close()
        main = re.search(r"([0-9a-f]{40}) refs/heads/main", refs)
        if not main:
            raise Lost(refs)
        who = f"Ada <a@x> {int(time.time())} +0000"
        text = (f"tree {self.tree}\nparent {main[1]}\nauthor {who}\n"
                f"committer {who}\n\nleaving {serial}\n").encode()
        commit = hashlib.sha1(b"commit %d\0" % len(text) + text).hexdigest()
        return commit, (packet(f"{main[1]} {commit} refs/heads/main\0 report-status "
                               "side-band-64k") + b"0000" + pack_of(text))

    def fetch(self, stage):
        body = (packet("command=fetch") + b"0001" + packet("want " + self.base) +
                packet("done") + b"0000")
        request = self.head("POST", "git-upload-pack", len(body),
                            protocol="version=2") + body
        if stage == "fetch: asking":
            self.send(request[:-10])
        else:
            self.send(request, b"PACK")

    def login(self):
        return "Basic " + base64.b64encode(
            f"x:{self.candidate.password}".encode()).decode()

    def post(self, body, zipped=False):
        return self.head("POST", "git-receive-pack", len(body), zipped) + body

    def head(self, method, path, length=None, zipped=False, chunked=False,
             protocol=None):
        service = "git-upload-pack" if "upload" in path else "git-receive-pack"
        fields = [f"{method} /{self.candidate.path}/{path} HTTP/1.1", "Host: x",
                  "Authorization: " + self.login(), "Connection: close"]
        if method == "POST":
            fields.append(f"Content-Type: application/x-{service}-request")
        if length is not None:
            fields.append(f"Content-Length: {length}")
        if zipped:
            fields.append("Content-Encoding: gzip")
        if chunked:
            fields.append("Transfer-Encoding: chunked")
        if protocol:
            fields.append("Git-Protocol: " + protocol)
        return ("\r\n".join(fields) + "\r\n\r\n").encode()

    def send(self, data, until=None, reset=False):
        """What came until then; the peer hears of it by a reset if need be."""
        host, port = self.candidate.server.web.rsplit(":", 1)
        said = b""
        try:
            with socket.create_connection((host, int(port)), timeout=30) as peer:
                peer.sendall(data)
                while until and until not in said:
                    more = peer.recv(65536)
                    if not more:
                        break
                    said += more
                if reset:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    struct.pack("ii", 1, 0))
        except OSError:
            pass
        return said
