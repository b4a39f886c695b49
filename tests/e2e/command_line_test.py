#!/usr/bin/env python3
"""What the command line does around its answers: JSON and nothing else, errors
that say what to do, no terminal, narrow terminals, pipes that close, ^C, and
what candidates write."""

import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import fcntl
import termios
import unittest

from installation import (BIN, PATIENCE, SAMPLE, TINY_APP, Installation,
                          environment)

# Sequences that drive a terminal, and characters that hide or reorder.
HOSTILE = ("\x1b]8;;http://evil.test/\x1b\\click\x1b]8;;\x1b\\ \x1b[2J\x1b]0;t\x07"
           "\u009b31m \u202egnp.exe\u202c \u2066x\u2069 soft\u00adhyphen \u200b"
           "\U000e0061tag a\rb")
TAME = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f"
                  "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
                  "\U000e0000-\U000e007f]")

# What makes each command do something here; "{name}" is of this installation.
# Commands that are not here take no arguments that matter.
ARGUMENTS = {
    "assignment create": ["{sample}", "--id", "another"],
    "assignment update": ["{tiny}", "--id", "tiny"],
    "assignment show": ["tiny"],
    "assignment lint": ["{sample}"],
    "assignment move": ["tiny", "--reason", "because", "--yes"],
    "assignment offer": ["tiny"],
    "assignment reference": ["tiny", "{tiny}/template", "--no-wait"],
    "assignment candidates": ["tiny"],
    "assignment stats": ["tiny"],
    "assignment suite": ["tiny"],
    "invite": ["tiny", "--name", "Eve", "--email", "eve@example.test"],
    "invitation list": ["tiny"],
    "invitation revoke": ["{invitation}", "--yes"],
    "invitation resend": ["{invitation}", "--yes"],
    "invitation request": ["ada@example.test"],
    "accept": ["{secret}"],
    "attempt start": ["--yes"],
    "attempt show": ["{attempt}"],
    "attempt pushes": ["{attempt}"],
    "attempt token": ["{attempt}"],
    "attempt list": ["tiny"],
    "attempt clone": ["{attempt}", "{root}/clone"],
    "attempt diff": ["{attempt}"],
    "attempt commits": ["{attempt}"],
    "attempt notes": ["{attempt}"],
    "attempt brief": ["{attempt}"],
    "attempt watch": None,
    "attempt check": None,
    "attempt extend": ["{attempt}", "--by", "5m", "--reason", "x"],
    "attempt reopen": ["{attempt}", "--by", "5m", "--reason", "x", "--yes"],
    "attempt pause": ["{attempt}", "--reason", "x"],
    "attempt resume": ["{attempt}", "--reason", "x"],
    "attempt accommodate": ["{attempt}", "--factor", "1.5", "--reason", "x"],
    "attempt credit": ["--from", "2026-03-01T09:00:00Z", "--to",
                       "2026-03-01T09:40:00Z", "--assignment", "tiny",
                       "--reason", "x"],
    "attempt timeline": ["{attempt}"],
    "attempt history": ["{attempt}"],
    "candidate export": ["{attempt}"],
    "candidate erase": ["{other}", "--reason", "asked", "--yes"],
    "submission list": ["{attempt}"],
    "receipt show": ["{attempt}"],
    "receipt verify": ["{root}/receipt.json"],
    "question list": ["--attempt", "{attempt}"],
    "question ask": ["May I?", "--attempt", "{attempt}"],
    "question answer": ["{question}", "No."],
    "question pause": ["{question}"],
    "decision make": ["{attempt}", "advance", "--reason", "x"],
    "decision list": ["{attempt}"],
    "notification retry": ["ntf_none"],
    "run show": ["{run}"],
    "run watch": None,
    "run score": ["{run}"],
    "run compare": ["{run}", "{run}"],
    "trace show": ["{run}"],
    "trace export": ["{run}"],
    "trace evidence": ["{run}"],
    "suite init": ["{root}/made"],
    "suite fmt": ["{sample}/suite", "--check"],
    "suite lint": ["{sample}/suite"],
    "suite explain": ["create-order", "{sample}/suite"],
    "suite pack": ["--candidate", "{sample}/suite", "--out", "{root}/pack"],
    "suite run": None,
    "suite verify": None,
    "token create": ["--role", "reviewer", "--label", "x"],
    "token revoke": ["tok_none", "--yes"],
    "worker drain": ["none", "--reason", "x"],
    "worker resume": ["none"],
    "worker enrol": ["none"],
    "worker revoke": ["none", "--yes"],
    "worker forget": ["none"],
    "admin node drain": ["none"],
    "admin node forget": ["none", "--yes"],
    "admin user add": ["grace", "--role", "reviewer"],
    "admin user set-role": ["grace", "author"],
    "admin user set-password": ["grace"],
    "admin user disable": ["grace"],
    "admin user enable": ["grace"],
    "admin user sign-out": ["grace"],
    # These start programs or hold documents of their own.
    "account password": None, "up": None, "admin fsck": None, "admin migrate-store": None,
    "admin migrate-blobs": None,
    "admin backup": None, "admin restore": None, "completion": None,
    "manual": None, "suite reference": None, "suite schema": None,
    "attempt submit": None,
}


def commands():
    manual = subprocess.run([BIN / "assay", "manual"], capture_output=True,
                            text=True, check=True).stdout
    return [m.replace("\\-", "-") for m in re.findall(r"^\.SS (.*)$", manual, re.M)]


def values(text):
    """The JSON values of a text, one after the other."""
    decoder, found = json.JSONDecoder(), []
    text = text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].strip()
    return found


class CommandLineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Nobody grades here, so pushes need not stay for results.
        cls.assay = Installation(worker=False, options=("--push-stay", "0"))
        cls.addClassCleanup(cls.assay.close)
        cls.assay.assignment("tiny")
        cls.ada = cls.assay.candidate("tiny")
        cls.ada.commit({"app.py": TINY_APP, "a b\u202e.py": "x\n"}, HOSTILE)
        cls.ada.push()
        cls.assay.run("question", "ask", "Is\x1b[31m it \u202eso?", "--attempt",
                      "me", token=cls.ada.token)

    def run_raw(self, *arguments, **more):
        options = dict(capture_output=True, text=True, timeout=PATIENCE)
        variables = {"ASSAY_SERVER": self.assay.grpc,
                     "ASSAY_CANDIDATE_FILE": str(self.assay.root / "c.json")}
        variables.update(more.pop("variables", {}))
        options.update(more)
        return subprocess.run(
            [BIN / "assay", "--data-dir", self.assay.data, *map(str, arguments)],
            env=environment(**variables), **options)

    def on_terminal(self, *arguments, width=80, typed="", variables=None):
        """Everything that a terminal of this width gets, and the exit code."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, width, 0, 0))
        more = {"ASSAY_SERVER": self.assay.grpc, "TERM": "xterm"}
        env = environment(**more)
        env.pop("NO_COLOR")
        env.update(variables or {})
        process = subprocess.Popen(
            [BIN / "assay", "--data-dir", self.assay.data, *map(str, arguments)],
            stdin=theirs, stdout=theirs, stderr=theirs, env=env,
            start_new_session=True)
        os.close(theirs)
        seen, answered = b"", 0
        lines = [line for line in typed.split("\n") if line]
        try:
            while select.select([ours], [], [], 20)[0]:
                try:
                    some = os.read(ours, 65536)
                except OSError:
                    break
                if not some:
                    break
                seen += some
                # One answer for each question.
                if lines and seen[answered:].endswith((b": ", b"] ")):
                    answered = len(seen)
                    os.write(ours, (lines.pop(0) + "\n").encode())
        finally:
            os.close(ours)
            process.kill() if process.poll() is None and not seen else None
            process.wait(PATIENCE)
        return seen.decode(), process.returncode

    def test_json_is_all_that_is_printed(self):
        secret = self.assay.json("invite", "tiny", "--name", "Bob")["secret"]
        other = self.assay.candidate("tiny", "Carl")
        self.assay.run("submit", token=self.ada.token)
        self.assay.run("receipt", "show", "--out", self.assay.root / "receipt.json",
                       token=self.ada.token)
        invitation = self.assay.json("invite", "tiny", "--name", "Dan")
        question = self.assay.json("question", "list", "--assignment", "tiny")
        (self.assay.root / "passwords").write_text("wrong\nanother long one\n")
        names = {
            "root": self.assay.root, "sample": SAMPLE, "secret": secret,
            "tiny": self.assay.root / "assignment-tiny",
            "attempt": self.ada.attempt, "other": other.attempt,
            "invitation": invitation["invitation"]["name"],
            "question": question["questions"][0]["name"],
            "run": self.ada.pushes()[-1]["run"],
        }
        answered = 0
        for command in commands():
            arguments = ARGUMENTS.get(command, [])
            if arguments is None:
                continue
            with self.subTest(command):
                done = self.run_raw(
                    *command.split(),
                    *[a.format(**names) for a in arguments], "--json",
                    stdin=subprocess.DEVNULL)
                self.assertGreaterEqual(done.returncode, 0, done.stderr)
                try:
                    found = values(done.stdout)
                except json.JSONDecodeError as error:
                    self.fail(f"{error}: {done.stdout[:500]!r}")
                self.assertEqual(TAME.findall(done.stdout), [])
                self.assertNotEqual(done.returncode, 2, done.stderr)
                # An answer on one side, or an error on the other.
                if done.returncode == 0:
                    self.assertGreaterEqual(len(found), 1, done.stderr)
                    answered += 1
                elif not found:
                    self.assertRegex(done.stderr, r"^assay: \w")
        self.assertGreater(answered, 50)

    def test_a_reference_comes_from_a_folder_or_by_git(self):
        # How candidates' commits have to begin is nothing to the author's.
        self.assay.assignment("compared", commit_subject="'^fix: '")
        folder = self.assay.root / "assignment-compared"
        command = ["assignment", "reference", "compared"]
        self.assertEqual(self.assay.json(*command), {})
        refused = self.run_raw(*command, folder)
        self.assertIn("verify.yaml", refused.stderr)
        self.assertNotEqual(refused.returncode, 0)

        found = self.assay.json(*command, folder / "template", "--no-wait")["reference"]
        first = found["latestRun"]
        self.assertEqual(first["kind"], "KIND_REFERENCE")
        self.assertEqual(found["push"]["newCommit"], first["commit"])

        clone = self.assay.root / "reference"
        self.assay.run(*command, "--clone", clone)
        git = ["git", "-C", clone, "-c", "user.name=A", "-c", "user.email=a@example.test"]
        for arguments in (["commit", "-q", "--amend", "--allow-empty", "-m", "again"],
                          ["push", "-q", "--force", "origin", "HEAD"]):
            subprocess.run([*git, *arguments], check=True, env=environment(),
                           capture_output=True, timeout=PATIENCE)
        second = self.assay.json(*command)["reference"]["latestRun"]
        self.assertNotEqual(second["commit"], first["commit"])
        third = self.assay.json(*command, "--again", "--no-wait")["reference"]["latestRun"]
        self.assertNotEqual(third["name"], second["name"])
        self.assertEqual(third["commit"], second["commit"])

        missing = self.run_raw("run", "compare", third["name"], "reference")
        self.assertIn("has no reference run", missing.stderr)
        self.assertEqual(self.assay.json("attempt", "list", "compared"), {})

    def test_what_candidates_write_steers_no_terminal(self):
        question = ["question", "list", "--attempt", self.ada.attempt]
        for command in (["attempt", "commits", self.ada.attempt],
                        ["attempt", "diff", self.ada.attempt],
                        ["attempt", "diff", "--stat", self.ada.attempt],
                        ["attempt", "pushes", self.ada.attempt],
                        ["attempt", "timeline", self.ada.attempt],
                        ["attempt", "notes", self.ada.attempt],
                        question, ["candidate", "export", self.ada.attempt],
                        ["assignment", "candidates", "tiny", "--csv"]):
            with self.subTest(" ".join(command)):
                said, code = self.on_terminal(*command)
                self.assertEqual(code, 0, said)
                own = re.sub("\x1b\\[(0|1|2|31|32|33)m", "", said)
                self.assertEqual(TAME.findall(own.replace("\r\n", "\n")), [], own)

    def test_wrong_addresses_are_told_apart(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            for address, words in (
                    (f"127.0.0.1:{port}", "assay up"),
                    (f"http://127.0.0.1:{port}", "check the link"),
                    ("no-such-host.invalid:7070", "--server"),
                    ("http://no-such-host.invalid", "check the link")):
                with self.subTest(address):
                    done = self.run_raw("run", "list", "--server", address)
                    self.assertEqual(done.returncode, 4, done.stderr)
                    self.assertIn(words, done.stderr)
                    self.assertIn(address.split("//")[-1], done.stderr)
        # The web port without http:// is what people copy from a browser.
        done = self.run_raw("run", "list", "--server", self.assay.web)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn(f"http://{self.assay.web}", done.stderr)

    def test_refusals_say_what_to_do(self):
        for arguments, token, words in (
                (["run", "show", "run_none"], None, "there is no run"),
                (["run", "show", "no run"], None, "there is no run"),
                (["attempt", "show", "att_none"], None, "there is no attempt"),
                (["assignment", "show", "none"], None, "there is no assignment"),
                (["token", "create", "--role", "admin", "--label", "x"],
                 self.ada.token, "role is candidate"),
                (["run", "list"], "asy_wrong", "expired or revoked")):
            with self.subTest(" ".join(arguments)):
                more = {"ASSAY_TOKEN": token} if token else {}
                done = self.run_raw(*arguments, variables=more)
                self.assertIn(done.returncode, (2, 3), done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_a_pipe_that_closes_ends_it_without_a_word(self):
        for arguments in (["manual"], ["suite", "reference"],
                          ["attempt", "list", "tiny", "--json"]):
            with self.subTest(" ".join(arguments)):
                reading, writing = os.pipe()
                os.close(reading)
                done = self.run_raw(*arguments, capture_output=False,
                                    stdout=writing, stderr=subprocess.PIPE)
                os.close(writing)
                self.assertEqual(done.returncode, -signal.SIGPIPE)
                self.assertEqual(done.stderr, "")

    def test_an_answer_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "w") as full:
            done = self.run_raw("run", "list", "--json", capture_output=False,
                                stdout=full, stderr=subprocess.PIPE)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("standard output", done.stderr)

    def test_interrupt_ends_a_watch_at_once(self):
        run = self.ada.pushes()[-1]["run"]
        process = subprocess.Popen(
            [BIN / "assay", "--data-dir", self.assay.data, "run", "watch", run,
             "--json"],
            env=environment(ASSAY_SERVER=self.assay.grpc),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("snapshot", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
        self.assertIn(process.returncode, (130, -signal.SIGINT))
        self.assertEqual(said, "")

    def test_colours_are_for_terminals_that_want_them(self):
        command = ["attempt", "list", "tiny"]
        self.assertNotIn("\x1b", self.run_raw(*command, variables={
            "NO_COLOR": ""}).stdout)
        said, _ = self.on_terminal(*command)
        self.assertIn("\x1b[2m", said)
        for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            said, _ = self.on_terminal(*command, variables=variables)
            self.assertNotIn("\x1b", said, variables)
        said, _ = self.on_terminal(*command, "--no-color")
        self.assertNotIn("\x1b", said)

    def test_rows_fit_a_narrow_terminal(self):
        for width in (30, 47, 200):
            said, code = self.on_terminal("attempt", "list", "tiny", width=width)
            self.assertEqual(code, 0)
            for line in re.sub("\x1b\\[[0-9]*m", "", said).splitlines():
                self.assertLessEqual(len(line), width, line)

    def test_what_destroys_asks_and_nobody_is_no_yes(self):
        for arguments in (["candidate", "erase", self.ada.attempt, "--reason", "x"],
                          ["assignment", "move", "tiny", "--reason", "x"],
                          ["invitation", "revoke", "inv_none"],
                          ["invitation", "resend", "inv_none"],
                          ["worker", "revoke", "none"],
                          ["admin", "node", "forget", "none"],
                          ["token", "revoke", "tok_none"]):
            with self.subTest(" ".join(arguments)):
                done = self.run_raw(*arguments, stdin=subprocess.DEVNULL)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("--yes", done.stderr)
                said, code = self.on_terminal(*arguments, typed="no")
                self.assertEqual(code, 3, said)
                self.assertIn("nothing was changed", said)

    def test_what_many_notice_asks_on_a_terminal_alone(self):
        everybody = ["--assignment", "tiny", "--reason", "x"]
        for arguments, done in (
                (["attempt", "pause", *everybody], 0),
                (["attempt", "resume", *everybody], 0),
                (["admin", "user", "disable", "nobody"], 3),
                (["decision", "make", "att_none", "hold", "--reason", "x",
                  "--release"], 3)):
            with self.subTest(" ".join(arguments)):
                said, code = self.on_terminal(*arguments, typed="no")
                self.assertEqual(code, 3, said)
                self.assertIn("nothing was changed", said)
                script = self.run_raw(*arguments, stdin=subprocess.DEVNULL)
                self.assertEqual(script.returncode, done, script.stderr)
                self.assertNotIn("--yes", script.stderr)


if __name__ == "__main__":
    unittest.main()
