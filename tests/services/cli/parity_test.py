#!/usr/bin/env python3
"""Whatever the dashboard does, `assay` does: each method that the dashboard
calls has a command that calls it."""

import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ["ASSAY_SOURCE_DIR"])

# Method: what does the same without it.
ELSEWHERE = {
    "ReadSpans": "`assay trace show` gets the same spans at once",
    "CheckSuite": "`assay suite lint` compiles the suite itself, without a server",
}

# Between programs of ours: no person calls them.
MACHINES = {"FollowRun", "EnrolWorker"}


def text(folder, *suffixes):
    """Without comments: who only speaks of a method does not call it."""
    return "\n".join(
        re.sub(r"(?m)(^|\s)//.*$", "", path.read_text()) for path in sorted(folder.rglob("*"))
        if path.suffix in suffixes and "gen" not in path.parts
        and ".test." not in path.name)


def methods():
    """Of every public service; the names are unique among all of them."""
    found = []
    for proto in sorted((SOURCE / "proto/assay/v1").glob("*_service.proto")):
        found += re.findall(r"^  rpc (\w+)\(", proto.read_text(), re.M)
    return found


class ParityTest(unittest.TestCase):
    def setUp(self):
        pages = text(SOURCE / "services/dashboard/src", ".ts", ".tsx")
        commands = text(SOURCE / "services/cli", ".cc")
        words = set(re.findall(r"\w+", pages))
        called = set(re.findall(r"\bStub::\w+", commands))
        self.methods = methods()
        self.pages = {m for m in self.methods
                      if m[0].lower() + m[1:] in words}
        self.commands = {m for m in self.methods
                         if f"Stub::{m}" in called}

    def test_names_of_methods_are_unique(self):
        self.assertEqual(len(self.methods), len(set(self.methods)))

    def test_every_call_of_the_dashboard_is_a_command_too(self):
        self.assertGreater(len(self.pages), 45, "the dashboard's calls are not found")
        missing = self.pages - self.commands - set(ELSEWHERE)
        self.assertEqual(missing, set(), "the dashboard does this, and no command")

    def test_exceptions_are_needed(self):
        self.assertEqual({m for m in ELSEWHERE
                          if m in self.commands or m not in self.pages}, set())

    def test_every_method_for_people_is_a_command(self):
        self.assertEqual(
            set(self.methods) - self.commands - set(ELSEWHERE) - MACHINES, set())


if __name__ == "__main__":
    unittest.main()
