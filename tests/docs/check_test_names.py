#!/usr/bin/env python3
"""Every test that a document names is there: `Suite.Case` in a table's row.

    check_test_names.py ROOT
"""

import pathlib
import re
import sys

DOCUMENTS = ["docs/grading-threats.md", "docs/suite-promises.md"]
NAME = re.compile(r"`([A-Z]\w*)\.([A-Z]\w*)`")
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.M)


def tests(root):
    return {found for file in sorted((root / "tests").rglob("*.cc"))
            for found in TEST.findall(file.read_text(errors="replace"))}


def main():
    root = pathlib.Path(sys.argv[1])
    known, wrong = tests(root), 0
    for document in DOCUMENTS:
        lines = (root / document).read_text().splitlines()
        rows = [line for line in lines if line.startswith("| ")][1:]
        for number, line in enumerate(lines, 1):
            for suite, case in NAME.findall(line):
                if (suite, case) not in known:
                    print(f"{document}:{number}: there is no test {suite}.{case}")
                    wrong += 1
        for row in rows:
            if not row.startswith("| ---") and not NAME.search(row):
                print(f"{document}: no test for: {row[:80]}")
                wrong += 1
    return 1 if wrong or not known else 0


if __name__ == "__main__":
    sys.exit(main())
