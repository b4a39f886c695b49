#!/usr/bin/env python3
"""Each rule of architecture.py catches what it is for, and only that."""

import pathlib
import subprocess
import tempfile
import unittest

import architecture


class RuleTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.directory.name)
        subprocess.run(["git", "init", "--quiet", self.root], check=True)

    def tearDown(self):
        self.directory.cleanup()

    def breaches(self, rule, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        found = list(architecture.RULES[rule](str(self.root)))
        file.unlink()
        return found

    def test_services_do_not_include_the_runner_but_its_suite(self):
        self.assertTrue(self.breaches("includes", "services/a/a.cc",
                                      '#include "runner/run/run.h"\n'))
        self.assertFalse(self.breaches("includes", "services/a/a.cc",
                                       '#include "runner/suite/suite.h"\n'))

    def test_sandbox_knows_no_messages(self):
        self.assertTrue(self.breaches("includes", "sandbox/cell/a.h",
                                      '#include "assay/plan/v1/plan.pb.h"\n'))
        self.assertFalse(self.breaches("includes", "sandbox/cell/a.h",
                                       '#include "proto/base/error.h"\n'))

    def test_suite_includes_nothing_of_the_runner(self):
        self.assertTrue(self.breaches("includes", "runner/suite/a.cc",
                                      '#include "runner/run/run.h"\n'))

    def test_nothing_includes_tests(self):
        for folder in ("proto/base", "sandbox/cell", "runner/run", "services/a"):
            self.assertTrue(self.breaches("includes", f"{folder}/a.cc",
                                          '#include "tests/testing/a.h"\n'))

    def test_breach_has_a_place(self):
        self.assertIn("services/a/a.cc:2:", self.breaches(
            "includes", "services/a/a.cc", '\n#include "sandbox/cell/a.h"\n')[0])

    def test_heavy_headers(self):
        self.assertTrue(self.breaches("headers", "services/a/a.h",
                                      "#include <boost/asio.hpp>\n"))
        self.assertFalse(self.breaches("headers", "services/a/a.cc",
                                       "#include <boost/asio.hpp>\n"))

    def test_guards(self):
        self.assertTrue(self.breaches("guards", "services/a/a.h", "#ifndef A_H\n"))
        self.assertFalse(self.breaches("guards", "services/a/b.h",
                                       "#ifndef ASSAY_SERVICES_A_B_H_\n"))

    def test_names(self):
        for path in ("services/util/a.cc", "services/a/string_utils.h",
                     "runner/common.cc", "services/run_manager.cc"):
            self.assertTrue(self.breaches("names", path, ""), path)
        self.assertFalse(self.breaches("names", "services/a/commons_note.cc", ""))

    def test_sql(self):
        text = 'auto q = "SELECT id FROM runs WHERE";\n'
        self.assertTrue(self.breaches("sql", "services/runs/a.cc", text))
        self.assertFalse(self.breaches("sql", "services/storage/a.cc", text))

    def test_places(self):
        self.assertTrue(self.breaches("places", "a.md", "see /home/me/assay/x\n"))
        self.assertTrue(self.breaches(
            "places", "package-lock.json",
            '"resolved": "https://registry.npmjs.org/a.tgz"\n'))
        self.assertFalse(self.breaches("places", "a.md",
                                       "mkdir ./work/dir; cd ~/home/x\n"))


if __name__ == "__main__":
    unittest.main()
