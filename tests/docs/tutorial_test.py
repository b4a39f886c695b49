#!/usr/bin/env python3
"""The tutorials of authors, reviewers and admins: each command of theirs is run
as it is written, in its order, on a fresh installation. What candidates type is
recorded (record_session.py)."""

import contextlib
import http.server
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
from installation import BIN, PATIENCE, SOURCE, Installation, environment  # noqa: E402

TUTORIALS = SOURCE / "docs/tutorials"

# Commands that another test runs, or that need what is not here.
ELSEWHERE = {
    r"assay up\b": "stays; the installation of this test takes its place",
    r"assay --server https": "e2e.tls",
    r"assay worker (enrol|revoke)": "e2e.two_hosts",
}

OPENAPI = """\
openapi: 3.0.3
info: { title: Notes, version: "1" }
paths:
  /notes:
    get:
      operationId: listNotes
      responses: { "200": { description: all of them } }
"""

APP = """\
import http.server, json, os
notes = {}
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        name = self.path.split("/")[-1]
        if self.path == "/healthz": return self.answer(200, {})
        if name in notes: return self.answer(200, notes[name])
        self.answer(404, {})
    def do_POST(self):
        read = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = str(len(notes) + 1)
        notes[name] = {"id": name, "text": read["text"]}
        self.answer(201, notes[name])
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

PATCH = """\
--- a/app.py
+++ b/app.py
@@ -18,3 +18,3 @@
         name = str(len(notes) + 1)
-        notes[name] = {"id": name, "text": read["text"]}
+        notes[name] = {"id": name, "text": ""}
         self.answer(201, notes[name])
"""

VERIFY = """\
reference: { folder: reference }
template: { folder: template }
variants:
  - id: forgets
    title: The text of a note is lost
    patch: broken/forgets.patch
    loses: [ keeps-notes ]
"""


class Anything(http.server.BaseHTTPRequestHandler):
    """A server "in your debugger"."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *arguments):
        pass


def commands(page):
    """The lines of indented blocks that call assay; continued ones as one."""
    text = (TUTORIALS / page).read_text().replace("\\\n", " ")
    found = []
    for line in re.findall(r"^    (assay .*)$", text, re.M):
        # What stands at some distance is said about it.
        command = re.split(r"\s{2,}#|\s{6,}(?=\w)", re.sub(r"(\S) {7,}--", r"\1 --", line))[0]
        found.append(command.strip())
    return found


class TutorialTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.assay = Installation()
        cls.addClassCleanup(cls.assay.close)
        cls.folder = cls.assay.root / "author"
        cls.folder.mkdir()
        cls.candidate = None

    def write(self, path, content, mode=0o644):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)

    def fill_the_task(self):
        """The suite of the tutorial, with what it is held against."""
        text = (TUTORIALS / "author.md").read_text()
        self.write("my-task/suite/assay.yaml",
                   re.search(r"```yaml\n(.*?)```", text, re.S)[1])
        self.write("my-task/suite/sql/schema.sql", "create table notes (id int);\n")
        for folder, app in (("reference", APP),
                            ("template", APP.replace("do_POST", "later"))):
            self.write(f"my-task/{folder}/app.py", app)
            self.write(f"my-task/{folder}/run.sh", "#!/bin/sh\nexec python3 app.py\n", 0o755)
            self.write(f"my-task/{folder}/Makefile", "build:\n\ttrue\n")
        self.write("my-task/broken/forgets.patch", PATCH)
        self.write("my-task/verify.yaml", VERIFY)
        self.write("my-task/brief.md", "# Notes\n\nKeep notes.\n")
        self.write("my-task/assignment.yaml", "title: Notes\nduration: 1h\n")
        self.write("people.csv", "name,email\nBo,bo@example.org\n")
        self.write("openapi.yaml", OPENAPI)

    def end_the_clock(self):
        """The deadline passes while the server is away."""
        attempt = self.people().attempt
        self.assay.server.stop()
        with contextlib.closing(sqlite3.connect(self.assay.data / "store.db")) as store:
            # Whatever was pushed came before.
            past = int(time.time() * 1e6)
            store.execute("UPDATE attempts SET deadline = ?, cut_off_time = ? "
                          "WHERE id = ? AND state = 2",
                          (past, past, attempt.split("/")[-1]))
            store.commit()
        self.assay.start_server()
        self.assay.run("run", "watch", "--final", attempt, expect=None)

    def people(self):
        """A candidate who pushed and asked; made when one is spoken of."""
        if self.candidate is None:
            self.candidate = self.assay.candidate("my-task", "Ada")
            self.candidate.commit({"app.py": APP}, "Keep notes")
            self.candidate.push()
            self.assay.run("question", "ask", "May a note be empty?", "--attempt",
                           "me", token=self.candidate.token)
        return self.candidate

    def names(self, command):
        """`command` with names of this installation for those of the text."""
        if "inv_7f3k" in command:
            listed = self.assay.json("invitation", "list", "my-task")["invitations"]
            pending = [i["name"] for i in listed if i["state"] == "STATE_PENDING"]
            command = command.replace("inv_7f3k", pending[0]) + " --yes"
        if "att_7f3k" in command:
            command = command.replace("att_7f3k", self.people().attempt)
        if "question list" in command:
            self.people()
        if "qst_7f3k" in command:
            asked = self.assay.json("question", "list", "--assignment", "my-task")
            command = command.replace("qst_7f3k", asked["questions"][0]["name"])
        if re.search(r"\bRUN\b", command):
            runs = self.assay.json("run", "list", "--attempt", self.people().attempt)
            here, *others = [run["name"] for run in runs["runs"]]
            command = re.sub(r"\bRUN\b", here, command)
            command = re.sub(r"\bOTHER\b", (others or [here])[0], command)
        if "TOKEN_NAME" in command:
            made = self.assay.json("token", "create", "--role", "reviewer", "--label", "x")
            command = command.replace("TOKEN_NAME", made["name"]) + " --yes"
        if re.search(r"\bNAME\b", command):
            workers = self.assay.json("worker", "list")["workers"]
            command = re.sub(r"\bNAME\b", workers[0]["name"], command)
        return command

    def type(self, command):
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, text=True, capture_output=True,
            stdin=subprocess.DEVNULL, timeout=PATIENCE,
            env=environment(
                PATH=f"{BIN}:{os.environ['PATH']}", ASSAY_SERVER=self.assay.grpc,
                ASSAY_DATA_DIR=str(self.assay.data), HOME=str(self.assay.root)))
        self.assertEqual(done.returncode, 0,
                         f"{command}\n{done.stdout}{done.stderr}")

    def follow(self, page, before):
        """Types every command of a page; `before`: what happens first, by a
        word of the command. Returns how many there were."""
        typed = 0
        for command in commands(page):
            if any(re.match(pattern, command) for pattern in ELSEWHERE):
                continue
            for word, happens in before.items():
                if word in command:
                    command = happens(command) or command
            with self.subTest(command):
                self.type(self.names(command))
            typed += 1
        return typed

    def test_1_authors(self):
        self.folder.mkdir(exist_ok=True)
        self.write("openapi.yaml", OPENAPI)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Anything)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

        def again(command):
            # The text shows two ways to begin.
            return command.replace("my-task/suite", "other/suite")

        typed = self.follow("author.md", {
            "--from openapi.yaml": again,
            "suite lint": lambda _: self.fill_the_task(),
            "localhost:3000": lambda command: command.replace(
                "localhost:3000", f"127.0.0.1:{server.server_port}") + "; test $? -le 1",
            # It says what the brief lacks.
            "assignment lint": lambda command: command + "; test $? -le 1",
            # It asks, and nobody sits here.
            "assignment move": lambda command: command + " --yes",
            "--repeat 20": lambda command: command.replace("20", "2"),
            "attempt reopen": lambda _: self.end_the_clock(),
            "decision make": lambda _: self.end_the_clock(),
        })
        self.assertGreater(typed, 25)

    def test_2_reviewers(self):
        self.assertGreater(self.follow("reviewer.md", {
            "orders-api": lambda command: command.replace("orders-api", "my-task"),
        }), 7)

    def test_3_admins(self):
        self.assertGreater(self.follow("admin.md", {
            "candidate erase": self.erasing,
        }), 15)

    def erasing(self, command):
        self.end_the_clock()
        return command + " --yes"


if __name__ == "__main__":
    unittest.main()
