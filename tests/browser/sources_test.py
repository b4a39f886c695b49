#!/usr/bin/env python3
"""A file of the dashboard that CMake does not know is no reason to build it
again: what runs would be older than what was written."""

import pathlib
import re
import sys
import unittest

DASHBOARD = pathlib.Path(sys.argv.pop(1)) / "services/dashboard"


class SourcesTest(unittest.TestCase):
    def test_each_source_is_listed(self):
        text = (DASHBOARD / "CMakeLists.txt").read_text()
        listed = re.search(r"set\(sources\n(.*?)\)\n", text, re.S)[1].split()
        there = {
            path.relative_to(DASHBOARD).as_posix()
            for path in (DASHBOARD / "src").rglob("*")
            if path.suffix in (".ts", ".tsx", ".css")
            and "gen" not in path.parts and ".test." not in path.name}
        self.assertEqual(sorted(there ^ set(listed)), [])

    def test_each_public_proto_is_listed(self):
        text = (DASHBOARD / "CMakeLists.txt").read_text()
        protos = DASHBOARD.parent.parent / "proto"
        missing = [path.name for path in (protos / "assay/v1").glob("*.proto")
                   if f"assay/v1/{path.name}\n" not in text.replace(")", "\n")]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
