"""A real assayd for the fault tests: started with a fault point armed, killed,
started again on the same data; and candidates with a stock git."""

import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import time

SOURCE = pathlib.Path(os.environ["ASSAY_SOURCE_DIR"])
BIN = pathlib.Path(os.environ["ASSAY_BIN_DIR"])

SUITE = """\
version: 1
name: Task
limits: { run: 60s, check: 10s, request: 5s }
service:
  start: { run: ./run }
  ready: { get: /, within: 10s }
checks:
  - { id: seen, title: Greets, points: 5, visibility: public,
      steps: [ { get: /, expect: { status: 200 } } ] }
"""

ENVIRONMENT = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "a@x", "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "a@x"}


# Points that only an installation with workers comes to.
OF_RUNS = ("lease.", "heartbeat.", "report.", "verdict.", "handback.")
OF_WORKERS = ("worker.", "run.", "launcher.")


def all_fault_points():
    """The names that the product knows, in their order."""
    text = (SOURCE / "proto/base/fault_point.h").read_text()
    table = text.split("kFaultPoints[] = {")[1].split("};")[0]
    return re.findall(r'^\s*"([a-z.]+)"', table, re.MULTILINE)


def fault_points():
    """Those of an assayd without workers."""
    return [point for point in all_fault_points()
            if not point.startswith(OF_RUNS + OF_WORKERS)]


class Lost(Exception):
    """No answer came: it may have happened or not."""


class Refused(Exception):
    """The server answered that it did not do it."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def tree(files):
    return {"files": [{"path": path, "mode": 0o100644, "content":
                       base64.b64encode(content.encode()).decode()}
                      for path, content in files.items()]}


class Server:
    """One data directory and the assayd that has it, if any."""

    def __init__(self, prefix=(), environment=None, data=None, options=()):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="assay-fault-"))
        self.data = data or self.root / "data"
        self.web = self.grpc = "127.0.0.1:0"
        self.options, self.first = list(options), None
        self.prefix, self.environment = list(prefix), environment or {}
        self.process = None
        self.ready_after = None
        # Of gRPC without TLS; the same as `grpc` unless that speaks TLS.
        self.local = None
        # Who vouches for its certificate; None: it speaks no TLS.
        self.authority = None

    def start(self, fault=None):
        """False: it died at the fault point before it was ready."""
        environment = dict(ENVIRONMENT, **self.environment)
        if fault:
            environment["ASSAY_FAULT"] = fault
        began = time.monotonic()
        self.log = open(self.root / "assayd.log", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, str(BIN / "assayd"), "--data-dir", str(self.data),
             "--grpc-address", self.grpc, "--web-address", self.web,
             "--push-stay", "0", *self.options],
            stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        ready = self.process.stdout.readline()
        self.ready_after = time.monotonic() - began
        if not ready:
            self.process.wait()
            if self.process.returncode != -signal.SIGKILL or not fault:
                raise AssertionError("assayd did not start:\n" + self.tail())
            return False
        self.grpc = re.search(r"grpc=(\S+)", ready)[1]
        self.web = re.search(r"web=(\S+)", ready)[1]
        local = re.search(r"local=(\S+)", ready)
        self.local = local[1] if local else self.grpc
        # One of several over a store has it from the first.
        file = self.data / "admin.token"
        holder = self.first.data if self.first and not file.exists() else self.data
        self.admin = (holder / "admin.token").read_text().strip()
        return True

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.reap()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
        self.reap()

    def reap(self):
        if self.process:
            self.process.wait(30)
            self.process.stdout.close()
            self.log.close()
            self.process = None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def wait_dead(self, seconds):
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def tail(self):
        return (self.root / "assayd.log").read_text(errors="replace")[-3000:]

    def close(self):
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def call(self, method, request, token=None):
        host, port = self.web.rsplit(":", 1)
        connection = (
            http.client.HTTPSConnection(
                host, int(port), timeout=30, context=ssl.create_default_context(
                    cafile=self.authority)) if self.authority else
            http.client.HTTPConnection(host, int(port), timeout=30))
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        try:
            connection.request("POST", "/assay.v1." + method,
                               json.dumps(request), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Lost(str(error)) from error
        finally:
            connection.close()
        if response.status != 200:
            raise Refused(answer.get("code"), answer.get("message"))
        return answer

    def assignment(self, name, seconds=3600, suite=SUITE, **spec):
        """With a suite of its own, so that there is a blob to be kept."""
        return self.call(
            "AssignmentService/CreateAssignment",
            {"assignmentId": name,
             "spec": dict({"title": name, "duration": f"{seconds}s"}, **spec),
             "template": tree({"README.md": f"Greet {name}.\n"}),
             "suite": tree({"assay.yaml": suite.replace("Task", name)})}, self.admin)

    def candidate(self, assignment, name="Ada"):
        return Candidate(self, assignment, name)


class Candidate:
    """Somebody who was invited; each step is one that a candidate takes."""

    def __init__(self, server, assignment, name):
        self.server = server
        invited = server.call(
            "InvitationService/CreateInvitation",
            {"assignment": "assignments/" + assignment, "candidateName": name},
            server.admin)
        accepted = server.call("InvitationService/AcceptInvitation",
                               {"secret": invited["secret"]})
        self.token = accepted["token"]
        self.attempt = accepted["attempt"]["name"]
        self.folder = None

    def start(self):
        return self.server.call("AttemptService/StartAttempt",
                                {"name": self.attempt}, self.token)["attempt"]

    def clone(self):
        token = self.server.call("AttemptService/CreateGitToken",
                                 {"name": self.attempt}, self.token)
        self.password = token["password"]
        self.path = token["cloneUrl"].split("/", 3)[3]
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.server.root))
        cloned = self.run("clone", "-q", self.url(), folder)
        if cloned.returncode:
            raise Lost(cloned.stderr)
        self.folder = folder
        return self

    def url(self):
        scheme = "https" if self.server.authority else "http"
        return f"{scheme}://x-token:{self.password}@{self.server.web}/{self.path}"

    def repository(self):
        return (self.server.data / "repositories/attempts" /
                self.path.rsplit("/", 1)[1])

    def run(self, *arguments):
        trust = ({"GIT_SSL_CAINFO": str(self.server.authority)}
                 if self.server.authority else {})
        return subprocess.run(["git", *map(str, arguments)],
                              env=dict(ENVIRONMENT, **trust),
                              capture_output=True, text=True, timeout=60)

    def git(self, *arguments):
        return self.run("-C", self.folder, *arguments)

    def write(self, files):
        """Contents by path; None: no such file."""
        for path, content in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.unlink(missing_ok=True)
            else:
                file.write_text(content)

    def commit(self, text, amend=False, files=None):
        self.write(files or {})
        (self.folder / "work.txt").write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", text[:50], *["--amend"][:amend])
        return self.git("rev-parse", "HEAD").stdout.strip()

    def push(self, *options):
        """"ok" and "refused" only where the server said so."""
        done = self.git("push", *options, self.url(), "HEAD:main")
        said = done.stderr + done.stdout
        received = re.search(r"remote: Received (\S+ \S+) UTC", said)
        if done.returncode == 0 and received and "-> main" in said:
            return "ok", received[1]
        if "[remote rejected]" in said or "[rejected]" in said:
            return "refused", said
        return "unknown", said

    def submit(self, request=None):
        asked = {"attempt": self.attempt}
        if request:
            asked["requestId"] = request
        return self.server.call("SubmissionService/CreateSubmission", asked,
                                self.token)["submission"]
