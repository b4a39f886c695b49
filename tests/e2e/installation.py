"""A real Assay on this machine for one test: assayd, a worker, the command
line, and candidates with stock git. Nothing is faked."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

SOURCE = pathlib.Path(os.environ["ASSAY_SOURCE_DIR"])
BIN = pathlib.Path(os.environ["ASSAY_BIN_DIR"])
SAMPLE = SOURCE / "docs/examples/orders-api"

# Far above what anything here takes, and below ctest's own limit.
PATIENCE = 120

# The smallest service that can be graded: Python's standard library.
TINY_APP = """\
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b'{"ok": true}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

TINY_SUITE = """\
version: 1
name: Tiny
limits: { run: 60s, build: 20s, check: 10s, request: 5s }
environment: { image: host, egress: [] }
service:
  build: { run: "test ! -e build.sh || sh ./build.sh" }
  start: { run: exec python3 app.py, env: { PORT: "{{port}}" } }
  ready: { get: /healthz, status: 200, within: 5s }
checks:
  - id: says-ok
    title: The service says that it is fine
    points: 4
    visibility: public
    steps:
      - { get: /, expect: { status: 200, json: { $.ok: true } } }
  - id: hidden-ok
    title: It still does when nobody looks
    points: 6
    visibility: hidden
    steps:
      - { get: /again, expect: { status: 200 } }
"""


def environment(**more):
    """Without what a developer's own settings could change."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("ASSAY_", "GIT_"))}
    kept.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null",
                GIT_TERMINAL_PROMPT="0", GIT_AUTHOR_NAME="Ada",
                GIT_AUTHOR_EMAIL="ada@example.org", GIT_COMMITTER_NAME="Ada",
                GIT_COMMITTER_EMAIL="ada@example.org", NO_COLOR="1")
    kept.update(more)
    return kept


class Failure(AssertionError):
    """A command ended otherwise than a test needs; says all that it printed."""


class Program:
    """A daemon that has said that it is ready."""

    def __init__(self, log, *command, variables=None):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(
            [str(c) for c in command], stdout=subprocess.PIPE, stderr=self.log,
            env=environment(**(variables or {})), text=True)
        self.ready = self.process.stdout.readline().strip()
        if not self.ready:
            self.stop()
            raise Failure(f"{command[0]} did not start:\n"
                          + pathlib.Path(log).read_text(errors="replace")[-4000:])

    def address(self, name):
        return re.search(rf"{name}=(\S+)", self.ready)[1]

    def kill(self):
        self.stop(signal.SIGKILL)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Installation:
    def __init__(self, worker=True, options=(), variables=None,
                 addresses=("127.0.0.1:0", "127.0.0.1:0")):
        """`options` and `variables` of the environment: assayd's; `addresses`:
        of gRPC and the web."""
        self.options, self.variables = options, variables
        # More of the environment of the command line.
        self.client = {}
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="assay-e2e-"))
        self.data = self.root / "data"
        self.data.mkdir()
        self.server = self.worker = None
        self.grpc, self.web = addresses
        try:
            self.start_server()
            if worker:
                self.start_worker()
        except BaseException:
            self.close()
            raise

    def start_server(self):
        """Again after a kill: on the ports that it had."""
        self.server = Program(
            self.root / "assayd.log", BIN / "assayd", "--data-dir", self.data,
            "--grpc-address", self.grpc, "--web-address", self.web,
            *self.options, variables=self.variables)
        self.grpc = self.server.address("grpc")
        self.web = self.server.address("web")

    def start_worker(self, *options):
        self.worker = Program(
            self.root / "runner.log", BIN / "assay-runner", "--server",
            self.grpc, "--token-file", self.data / "worker.token",
            "--data-dir", self.root / "worker", *options)

    def close(self):
        for program in (self.worker, self.server):
            if program:
                program.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def logs(self):
        return "\n".join(
            f"--- {name}\n" + (self.root / name).read_text(errors="replace")[-4000:]
            for name in ("assayd.log", "runner.log") if (self.root / name).exists())

    def run(self, *arguments, token=None, expect=0):
        """The command line; `expect`: its exit code, None for any."""
        more = {"ASSAY_SERVER": self.grpc,
                "ASSAY_CANDIDATE_FILE": str(self.root / "candidate.json"),
                **self.client}
        if token is not None:
            more["ASSAY_TOKEN"] = token
        done = subprocess.run(
            [BIN / "assay", "--data-dir", self.data, *map(str, arguments)],
            env=environment(**more), capture_output=True, text=True,
            timeout=PATIENCE)
        if expect is not None and done.returncode != expect:
            raise Failure(f"assay {' '.join(map(str, arguments))}: exit code "
                          f"{done.returncode}, expected {expect}\n{done.stdout}"
                          f"{done.stderr}\n{self.logs()}")
        return done

    def json(self, *arguments, token=None):
        return json.loads(self.run(*arguments, "--json", token=token).stdout)

    def assignment(self, id, duration="1h", suite=TINY_SUITE, folder=None,
                   **settings):
        """Makes an assignment from `folder`, or a tiny one from `suite`."""
        copy = self.root / f"assignment-{id}"
        if folder:
            shutil.copytree(folder, copy)
        else:
            (copy / "template").mkdir(parents=True)
            (copy / "template/README.md").write_text("Answer GET /.\n")
            (copy / "suite").mkdir()
            (copy / "suite/assay.yaml").write_text(suite)
            (copy / "brief.md").write_text("# Tiny\n")
            (copy / "assignment.yaml").write_text("title: Tiny\n")
        file = copy / "assignment.yaml"
        settings = dict(settings, duration=duration)
        kept = [line for line in file.read_text().splitlines()
                if line.split(":")[0] not in settings]
        kept += [f"{key}: {value}" for key, value in settings.items()]
        file.write_text("\n".join(kept) + "\n")
        return self.json("assignment", "create", copy, "--id", id)

    def candidate(self, assignment, name="Ada", start=True):
        invited = self.json("invite", assignment, "--name", name)
        return Candidate(self, invited["secret"], name, start)

    def watch(self, run):
        """Waits for the run's end and returns it."""
        self.run("run", "watch", run, expect=None)
        return self.json("run", "show", run)

    def final_run(self, candidate):
        self.run("run", "watch", "--final", candidate.attempt, expect=None)
        submissions = self.json("submission", "list", candidate.attempt)
        return self.json("run", "show", submissions["submissions"][-1]["run"])


class Candidate:
    """One person with stock git."""

    def __init__(self, installation, secret, name, start):
        self.installation = installation
        accepted = installation.json("accept", secret, token="")
        self.token = accepted["token"]
        self.attempt = accepted["attempt"]["name"]
        self.repository = installation.root / f"{name}-{secret[-6:]}"
        if start:
            installation.run("attempt", "start", "--yes", token=self.token)
            installation.run("attempt", "clone", "me", self.repository,
                             token=self.token)

    def git(self, *arguments, expect=0):
        done = subprocess.run(["git", "-C", self.repository, *arguments],
                              env=environment(), capture_output=True, text=True,
                              timeout=PATIENCE)
        if expect is not None and done.returncode != expect:
            raise Failure(f"git {' '.join(arguments)}: exit code "
                          f"{done.returncode}, expected {expect}\n"
                          f"{done.stdout}{done.stderr}\n"
                          + self.installation.logs())
        return done

    def write(self, files):
        """`files`: contents by path, or a folder to copy."""
        if isinstance(files, pathlib.Path):
            shutil.copytree(files, self.repository, dirs_exist_ok=True)
            return
        for path, content in files.items():
            (self.repository / path).write_text(content)

    def commit(self, files, message="work"):
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", message)

    def push(self, expect=0):
        """What git printed: the results come as `remote:` lines."""
        return self.git("push", "origin", "HEAD", expect=expect).stderr

    def pushes(self):
        return self.installation.json("attempt", "pushes", "me",
                                      token=self.token).get("pushes", [])

    def pushed_run(self):
        return self.installation.watch(self.pushes()[-1]["run"])


def lost(run):
    """Ids of the checks that did not pass."""
    return sorted(c["checkId"] for c in run.get("checks", [])
                  if c["verdict"] != "VERDICT_PASSED")


def planted(solution):
    """Ids that a solution's FAULTS.md names."""
    text = (SAMPLE / "solutions" / solution / "FAULTS.md").read_text()
    return sorted(re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.M))
