#!/usr/bin/env python3
"""The author's loop on the command line, without a server: what `assay suite`
writes, prints and exits with."""

import http.server
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import threading
import unittest
import xml.etree.ElementTree

from installation import (BIN, SAMPLE, SOURCE, TINY_APP, TINY_SUITE,
                          environment)

HIDDEN = "It still does when nobody looks"
OPENAPI = """\
openapi: 3.0.3
info: { title: Tiny, version: "1" }
paths:
  /things/{id}:
    get:
      operationId: getThing
      parameters: [ { name: id, in: path, required: true, schema: { type: string } } ]
      responses:
        "200":
          content: { application/json: { schema: { type: object, required: [ ok ] } } }
"""


class SuiteTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-suite-")
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)
        self.write("suite/assay.yaml", TINY_SUITE)
        self.write("solution/app.py", TINY_APP)

    def write(self, path, text):
        file = self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def assay(self, *arguments, code=0, stdin=""):
        done = subprocess.run(
            [BIN / "assay", "suite", *arguments], cwd=self.work, input=stdin,
            env=environment(), capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def serve(self, app):
        """The app's handler in this process, listening when this returns."""
        parts = {}
        exec(app.rpartition("http.server.Threading")[0], parts)  # noqa: S102
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                 parts["Handler"])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def test_init_writes_what_lint_accepts_and_nothing_over_it(self):
        self.assay("init", "new")
        self.assertIn("no problems", self.assay("lint", "new", "--strict").stdout)
        self.assay("fmt", "--check", "new")
        self.assertIn("is there already", self.assay("init", "new", code=2).stderr)

    def test_an_openapi_document_becomes_a_suite(self):
        self.write("openapi.yaml", OPENAPI)
        self.assay("init", "new", "--from", "openapi.yaml")
        self.assertIn("1 checks", self.assay("lint", "new").stdout)
        self.assertIn("GET /things/", self.assay("explain", "get-thing", "new").stdout)
        self.write("openapi.yaml", "swagger: '2.0'\n")
        self.assertIn("openapi.yaml: ", self.assay(
            "init", "other", "--from", "openapi.yaml", code=2).stderr)

    def test_lint_tells_all_mistakes_with_their_places(self):
        self.write("suite/assay.yaml", TINY_SUITE.replace("expect:", "exepct:", 1)
                   .replace("points: 6", "points: six"))
        done = self.assay("lint", "suite", code=1)
        self.assertIn('did you mean "expect"?', done.stderr)
        self.assertEqual(done.stderr.count("suite/assay.yaml:"), 2, done.stderr)
        told = json.loads(self.assay("lint", "suite", "--json", code=1).stdout)
        self.assertFalse(told["ok"])
        self.assertEqual([p["severity"] for p in told["problems"]], ["error"] * 2)
        self.assertIn("exepct", self.assay(
            "run", "suite", "--against", "solution", code=2).stderr)

    def test_fmt_changes_spaces_only_and_reads_standard_input(self):
        ragged = TINY_SUITE.replace("checks:", "checks:   ").replace(
            "name: Tiny\n", "name: Tiny\n\n\n\n")
        self.write("suite/assay.yaml", ragged)
        self.assertIn("assay.yaml", self.assay("fmt", "--check", "suite", code=1).stdout)
        self.assay("fmt", "suite")
        self.assay("fmt", "--check", "suite")
        formatted = (self.work / "suite/assay.yaml").read_text()
        self.assertEqual(formatted.split(), ragged.split())
        self.assertEqual(self.assay("fmt", "-", stdin=ragged).stdout, formatted)

    def test_schemas_and_reference_are_the_languages(self):
        for of in ("suite", "rubric", "verify"):
            self.assertIn("properties", json.loads(self.assay("schema", of).stdout))
        self.assertEqual(self.assay("reference").stdout.rstrip(),
                         (SOURCE / "docs/reference/suite.md").read_text().rstrip())

    def test_a_run_exits_as_it_went_and_writes_its_reports(self):
        done = self.assay("run", "suite", "--against", "solution", "--report", "r.html",
                          "--report", "r.xml", "--report", "r.ctrf.json",
                          "--report", "r.md", "--json", "r.json")
        self.assertIn("10 of 10 points", done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        run = json.loads((self.work / "r.json").read_text())
        self.assertEqual((run["score"], run["max"]), (10, 10))
        self.assertEqual([c["id"] for c in run["checks"]], ["says-ok", "hidden-ok"])
        self.assertEqual(run["checks"][0]["steps"][0]["verdict"], "passed")
        self.assertIn("ready", [p["name"] for p in run["phases"]])
        self.assertTrue(run["trace"])
        self.assertIn("10 of 10", (self.work / "r.md").read_text())
        self.assertIn("<!doctype html>", (self.work / "r.html").read_text())
        junit = xml.etree.ElementTree.parse(self.work / "r.xml").find("testsuite")
        self.assertEqual((junit.get("tests"), junit.get("failures")), ("2", "0"))
        ctrf = json.loads((self.work / "r.ctrf.json").read_text())
        self.assertEqual(ctrf["results"]["summary"]["passed"], 2)

    def test_a_failure_is_told_with_both_values_and_both_places(self):
        self.write("suite/assay.yaml", TINY_SUITE.replace(
            "$.ok: true", "$: { eq: { ok: false } }"))
        done = self.assay("run", "suite", "--against", "solution", "--json", "-", code=1)
        check = json.loads(done.stdout)["checks"][0]
        self.assertEqual((check["verdict"], check["points"]), ("failed", 0))
        step = check["steps"][0]
        sentence, *diff = step["reason"].splitlines()
        self.assertIn("expected", sentence)
        self.assertEqual(diff, ["- $.ok: false", "+ $.ok: true"], step)
        self.assertRegex(step["position"], r"^assay\.yaml:\d+:\d+$")

    def test_one_check_of_a_suite_is_judged_by_itself(self):
        done = self.assay("run", "suite", "--against", "solution", "--check", "says-ok",
                          "--json", "-")
        self.assertEqual(json.loads(done.stdout)["max"], 4)
        self.assertIn('did you mean "says-ok"?', self.assay(
            "run", "suite", "--against", "solution", "--check", "says-oj",
            code=2).stderr)
        self.assertIn("is not a folder", self.assay(
            "run", "suite", "--against", "nowhere", code=2).stderr)
        self.assertIn("expected a file that ends in", self.assay(
            "run", "suite", "--against", "solution", "--report", "r.pdf", code=2).stderr)

    def test_a_server_that_is_there_already_gets_what_needs_no_cells(self):
        self.write("suite/assay.yaml", TINY_SUITE + """\
  - id: few-queries
    title: Looks at what only a wire sees
    points: 3
    visibility: public
    steps:
      - { get: / }
      - { trace: { queries_per_request: { lte: 5 } } }
""")
        url = self.serve(TINY_APP)
        done = self.assay("run", "suite", "--against", url, "--json", "-", code=1)
        run = json.loads(done.stdout)
        self.assertEqual((run["score"], run["max"]), (10, 13))
        skipped = run["checks"][2]
        self.assertEqual(skipped["verdict"], "skipped")
        self.assertRegex(skipped["reason"],
                         r"trace \(assay\.yaml:\d+:\d+\) needs a run against a folder")
        self.assay("run", "suite", "--against", url, "--check", "says-ok")
        self.assertIn("expected a server on this machine", self.assay(
            "run", "suite", "--against", "https://example.org", code=2).stderr)

    def test_a_program_of_the_suite_stays_one(self):
        self.write("suite/tests/probe", "exit 0\n").chmod(0o755)
        self.write("suite/assay.yaml", TINY_SUITE + """\
  - id: probe
    title: An executable file without a first line that says so
    points: 1
    visibility: hidden
    steps:
      - { command: ./tests/probe, in: suite, files: [ tests/ ] }
""")
        self.assay("run", "suite", "--against", "solution", "--check", "probe")
        (self.work / "suite/tests/probe").chmod(0o644)
        self.assay("run", "suite", "--against", "solution", "--check", "probe", code=1)

    def test_a_pack_runs_and_holds_nothing_hidden(self):
        self.assay("pack", "--candidate", "suite", "--out", "checks.json")
        pack = (self.work / "checks.json").read_text()
        for word in (HIDDEN, "hidden-ok", "/again"):
            self.assertNotIn(word, pack)
        done = self.assay("run", "checks.json", "--against", "solution")
        self.assertIn("4 of 4 points", done.stdout)
        self.assertIn("needs --candidate", self.assay("pack", "suite", code=2).stderr)
        (self.work / "checks.json").write_text(pack.replace('"plan"', '"paln"'))
        self.assertIn("holds no checks", self.assay(
            "run", "checks.json", "--against", "solution", code=2).stderr)

    def test_the_samples_pack_holds_nothing_hidden(self):
        pack = json.loads(self.assay(
            "pack", "--candidate", SAMPLE / "suite", "--out", "-").stdout)
        text = json.dumps(pack["plan"])
        for check in ("never-oversells", "few-queries", "other-peoples-orders",
                      "idempotent-create", "passwords-hashed", "rejects-bad-input"):
            self.assertNotIn(check, text)
        self.assertEqual(len(pack["plan"]["checks"]), 4)

    def test_verify_finds_the_suite_that_misjudges(self):
        self.write("broken/app.py", TINY_APP.replace("b'{\"ok\": true}'", "b'{}'"))
        self.write("verify.yaml", """\
reference: { folder: solution }
variants:
  - { id: silent, title: Says nothing, folder: broken, loses: [ says-ok ] }
""")
        done = self.assay("verify", ".", "--repeat", "2", "--report", "table.md")
        self.assertIn("2 of 2 solutions scored as declared", done.stdout)
        self.assertIn("hidden-ok: no variant loses it", done.stdout)
        self.assertIn("| `silent` | Says nothing | 6 / 10 | `says-ok` |",
                      (self.work / "table.md").read_text())
        text = (self.work / "verify.yaml").read_text()
        self.write("verify.yaml", text.replace("[ says-ok ]", "[ hidden-ok ]"))
        done = self.assay("verify", ".", "--json", code=1)
        surprises = json.loads(done.stdout)["solutions"][1]["surprises"]
        self.assertEqual([s["check"] for s in surprises], ["hidden-ok", "says-ok"])
        self.write("verify.yaml", text.replace("says-ok", "says-no"))
        self.assertIn('verify.yaml:3:65: error: the suite has no check "says-no"; did '
                      'you mean "says-ok"?', self.assay("verify", ".", code=2).stderr)

    def test_a_terminal_gets_colours_unless_it_says_no(self):
        def shown(**variables):
            pid, terminal = pty.fork()
            if pid == 0:
                os.execve(BIN / "assay", ["assay", "suite", "run", self.work / "suite",
                                          "--against", self.work / "solution"],
                          variables)
            output = b""
            try:
                while chunk := os.read(terminal, 65536):
                    output += chunk
            except OSError:
                pass
            os.close(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
            return output

        plain = environment()
        del plain["NO_COLOR"]
        plain["TERM"] = "xterm"
        self.assertIn(b"\x1b[32m", shown(**plain))
        self.assertNotIn(b"\x1b[32m", shown(**plain, NO_COLOR="1"))


if __name__ == "__main__":
    unittest.main()
